/**
 * What one transaction may settle, over all its shards and tenants. Planned and written, a task that is assigned costs
 * some 35 µs of the event loop, and one that is admitted or leaves a lost worker 5 to 15: a turn of about 20 ms. As many
 * tasks are assigned as commands are taken, so that a steady stream never leaves anything for the next transaction.
 */
const admissionsPerTransaction = 1_000;
const assignmentsPerTransaction = 500;

/** What one tenant may settle of them while others are there, whose tasks wait for the transaction. */
const besideOthers = { admissions: 100, assignments: 50 };

/** What a tenant gets at least before it is another's turn: below that the turns cost more than what is done in them. */
const leastShare = 20;

/** What a cancel costs, in admissions: a result, the end of a run, and a message to the worker. */
export const cancelCost = 2;

/** What a look costs that moves nobody. */
export const lookCost = 0.25;

export class SettleBudget {
  /** Verdicts on tasks that became ready, admissions of those that waited, tasks that leave a lost worker. */
  admissions: number;
  /** Tasks that are given to workers. */
  assignments: number;
  /** Several tenants are there: each settles a small part. */
  readonly #isShared: boolean;

  constructor(admissions = admissionsPerTransaction, assignments = assignmentsPerTransaction, isShared = false) {
    this.admissions = admissions;
    this.assignments = assignments;
    this.#isShared = isShared;
  }

  static forTransaction({ isShared }: { isShared: boolean }): SettleBudget {
    return new SettleBudget(admissionsPerTransaction, assignmentsPerTransaction, isShared);
  }

  /** How often each tenant has a turn in the transaction. */
  get rounds(): number {
    return this.#isShared ? 1 : Infinity;
  }

  get isSpent(): boolean {
    return this.admissions <= 0 && this.assignments <= 0;
  }

  /** An equal part for one of so many. What the part spends is spent here. */
  share(parts: number): SettleBudget {
    const part = (left: number, most: number): number =>
      Math.min(left, most, Math.max(leastShare, Math.floor(left / parts)));
    const most = this.#isShared ? besideOthers : { admissions: Infinity, assignments: Infinity };
    return new SettleBudget(part(this.admissions, most.admissions), part(this.assignments, most.assignments));
  }

  spend(part: { admissions: number; assignments: number }): void {
    this.admissions -= part.admissions;
    this.assignments -= part.assignments;
  }
}
