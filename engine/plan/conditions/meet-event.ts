import { CelVariables } from '../../cel/cel-variables.ts';
import { endReviewed } from '../lifecycle/end-task.ts';
import type { EventWaking } from '../state/event-wakings.ts';
import type { Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';
import { mostMet } from '../state/waking-limits.ts';
import { reviewTask } from './review-task.ts';
import { holds, type Evaluated } from './evaluate-condition.ts';
import { complain, resolveCondition } from './resolve-condition.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface MeetableEvent {
  tenantId: TenantId;
  key: string;
  scope: string | null;
  /** JSON. */
  payload: string;
  /** Expressions that were evaluated before the plan. */
  evaluated: Evaluated;
}

/** What an event says to one condition of a waiting step. */
interface Meeting {
  readonly row: TaskRow;
  readonly index: number;
  /** Null where the condition is met. */
  readonly why: string | null;
}

/** Evaluating an expression costs as much as so many looks. */
const expressionLooks = 10;

/**
 * Gives an event to the tasks whose steps wait for one of its key. It meets each condition once.
 * @returns false where they are too many for this transaction: none is met then
 */
export function meetEvent(plan: Plan, event: MeetableEvent): boolean {
  const { eventWaiters, wakingLimits: limits } = plan.state;
  const { meetings } = plan.changes;
  const count = eventWaiters.count(event.tenantId, event.key);
  if (count === 0) return true;
  const looks = Math.min(limits.looks, limits.looks * limits.eventsTogether - meetings.looks);
  const tasks = Math.min(mostMet(limits, event.payload), limits.tasks * limits.eventsTogether - meetings.tasks);
  if (count > looks) return false;
  const look = new Look(plan, event);
  for (const row of eventWaiters.of(event.tenantId, event.key)) {
    look.at(row);
    if (look.cost > looks || look.tasks > tasks) return false;
  }
  meetings.looks += look.cost;
  meetings.tasks += look.tasks;
  look.meet();
  return true;
}

/**
 * As `meetEvent`, of those that waited before the event came, as many as one transaction may meet; those that are passed over
 * are looked at alone.
 * @returns whether there are no more
 */
export function meetEventPage(
  plan: Plan,
  event: MeetableEvent,
  waking: EventWaking,
  { most, passesOver }: { most: number; passesOver: boolean },
): boolean {
  const { eventWaiters, wakingLimits: limits, waits, undo } = plan.state;
  const { tenantId, key } = event;
  const rows = waking.rows ?? eventWaiters.of(tenantId, key);
  undo.set(waking, 'rows', rows);
  const look = new Look(plan, event);
  let looked = waking.looked;
  for (; looked < rows.length && look.cost < limits.looks && look.tasks < most; looked++) {
    const row = rows[looked];
    // Since they were written down, the row may have become another task's, which waits for the next event.
    if (row === undefined || !eventWaiters.isWaiting(row, tenantId, key)) continue;
    if ((waits.get(row)?.sinceSeq ?? Infinity) < waking.seq) look.at(row);
  }
  undo.set(waking, 'looked', looked);
  if (!passesOver) look.meet();
  return looked === rows.length;
}

/** Compares an event with waiting steps before it meets any. */
class Look {
  readonly #plan: Plan;
  readonly #event: MeetableEvent;
  readonly #variables: CelVariables;
  /** By expression: waiters of one step have it in common. */
  readonly #verdicts = new Map<string, ReturnType<typeof holds>>();
  readonly #rows: TaskRow[] = [];
  readonly #meetings: Meeting[] = [];
  cost = 0;
  /** Those that the event changes. */
  tasks = 0;

  constructor(plan: Plan, event: MeetableEvent) {
    this.#plan = plan;
    this.#event = event;
    this.#variables = new CelVariables({ input: event.payload });
  }

  at(row: TaskRow): void {
    const { state } = this.#plan;
    const { key, scope } = this.#event;
    const wait = state.waits.get(row);
    const before = this.#meetings.length;
    this.cost++;
    for (const [index, condition] of state.stepOf(row).definition.conditions.entries()) {
      if (
        condition.kind !== 'event' ||
        condition.eventKey !== key ||
        (condition.scope !== null && condition.scope !== scope) ||
        wait?.states[index] !== 'open'
      )
        continue;
      const { met, why } = this.#holds(condition.expression);
      if (met) this.#meetings.push({ row, index, why: null });
      else if (why !== undefined && wait.complained[index] !== true) this.#meetings.push({ row, index, why });
    }
    if (this.#meetings.length === before) return;
    this.tasks++;
    this.#rows.push(row);
  }

  #holds(expression: string): ReturnType<typeof holds> {
    const known = this.#verdicts.get(expression);
    if (known !== undefined) return known;
    const verdict = holds(expression, this.#variables, this.#event.evaluated);
    this.#verdicts.set(expression, verdict);
    this.cost += expressionLooks;
    return verdict;
  }

  meet(): void {
    const { payload } = this.#event;
    let next = 0;
    for (const row of this.#rows) {
      for (; this.#meetings[next]?.row === row; next++) {
        const { index, why } = this.#meetings[next] ?? { index: -1, why: null };
        if (why === null) resolveCondition(this.#plan, row, index, { met: true, data: payload });
        else complain(this.#plan, row, index, why);
      }
      endReviewed(this.#plan, row, reviewTask(this.#plan, row));
    }
  }
}
