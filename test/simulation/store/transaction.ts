/** A statement cannot go on before something else has happened: it is run again from its start then, and keeps the locks that it has. */
export class Blocked extends Error {
  readonly by: Awaited;
  /** It does not wait for longer than this, by Postgres's clock. */
  readonly untilUs: number;

  constructor(by: Awaited, untilUs = Infinity) {
    super('a statement waits');
    this.by = by;
    this.untilUs = untilUs;
  }
}

/** What others may wait for the end of. */
export class Awaited {
  #waiting: (() => void)[] = [];

  /** @returns takes it back */
  wait(go: () => void): () => void {
    this.#waiting.push(go);
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== go);
    };
  }

  /** First come, first served. */
  protected over(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }
}

/** A row that a transaction holds, as its table sees it. */
export interface HeldRow {
  /** What the transaction has made of it is there for all, or is gone. @param at the number of the commit; none for a rollback */
  settle(at: number | undefined): void;
  /** @returns puts back what the transaction had made of it until now */
  save(): () => void;
  /** @returns puts back what was stored before, where Postgres crashes before this commit is on disk */
  before(): () => void;
}

/** Its changes are seen by nobody else before it commits. Locks on rows are held until it ends. */
export class Transaction extends Awaited {
  /** `now()`, in microseconds. */
  readonly nowUs: number;
  /** What was committed later is not seen: the number of a commit, for a transaction that is repeatable read. */
  readonly snapshot: number | undefined;
  readonly #held: HeldRow[] = [];
  #undo: (() => void)[] = [];
  /** What it waits for. */
  waitsFor: Awaited | undefined;

  constructor(nowUs: number, snapshot?: number) {
    super();
    this.nowUs = nowUs;
    this.snapshot = snapshot;
  }

  get hasChanged(): boolean {
    return this.#undo.length > 0;
  }

  /** The row is locked by it from now on. */
  hold(row: HeldRow): void {
    this.#held.push(row);
  }

  /** Called before a row that it holds is changed. */
  saving(row: HeldRow): void {
    this.#undo.push(row.save());
  }

  mark(): number {
    return this.#undo.length;
  }

  /** Takes changes back, and keeps the locks. */
  backTo(mark: number): void {
    for (const undo of this.#undo.splice(mark).reverse()) undo();
  }

  /**
   * @param at the number of the commit
   * @param mayBeLost that it does not wait for the disk
   * @returns takes it all back, as a crash does to a commit that is not on disk
   */
  commit(at: number, mayBeLost: boolean): () => void {
    const before = mayBeLost ? this.#held.map((row) => row.before()) : [];
    this.#release(at);
    return () => {
      for (const undo of before) undo();
    };
  }

  rollback(): void {
    this.#undo = [];
    this.#release(undefined);
  }

  #release(at: number | undefined): void {
    for (const row of this.#held.splice(0)) row.settle(at);
    this.over();
  }

  /** Whether it waits, over any number of others, for itself. */
  get isDeadlocked(): boolean {
    const seen = new Set<Awaited>();
    for (let next = this.waitsFor; next instanceof Transaction; next = next.waitsFor) {
      if (next === this) return true;
      if (seen.has(next)) return false;
      seen.add(next);
    }
    return false;
  }
}
