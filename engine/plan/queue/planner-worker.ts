import type { LabelValue } from '../../model/task/worker-labels.ts';
import type { Inverse, Restore, UndoLog } from '../state/undo-log.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface SlotUse {
  type: string;
  units: number;
}

/** A registered worker as the planner sees it: what it can run, and what it holds. */
export class PlannerWorker {
  readonly index: number;
  readonly id: string;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly slots: ReadonlyMap<string, number>;
  /** It may begin a task without saying so. */
  readonly beginsUnsaid: boolean;
  /** It forgets the result of a durable operation for which nobody waits, and asks for it again. */
  readonly forgetsResults: boolean;
  labels: ReadonlyMap<string, LabelValue>;
  readonly used = new Map<string, number>();
  /** Rows of the tasks that are RUNNING or CANCELLING on it. */
  readonly tasks = new Set<TaskRow>();
  /** Attached, with fresh heartbeats: what the session layer last said. Memory only. */
  assignable = false;
  /** Since when it has had no stream, so that the deadlines of its tasks stand still; 0 while it has one. Memory only. */
  awaySinceUs = 0;
  /** It has said nothing of a task that was sent to it, although it is connected. Memory only. */
  isBlocked = false;
  /** It was lost, and its tasks are leaving it. Memory only. */
  isLeaving = false;
  paused = false;
  /** Unsubscribed: takes nothing any more, but its tasks may still report. */
  ended = false;
  /** Which of its durable streams is the one that counts; 0 for none. */
  durableStream = 0;
  /** It hands results to its code strictly in the order of delivery: one that nobody waits for holds up all after it. */
  isStrict = false;
  /** Where the next pull starts among its queues. */
  turn = 0;

  readonly #held: Inverse = { undo: (row: TaskRow) => this.tasks.delete(row) };
  readonly #dropped: Inverse = { undo: (row: TaskRow) => this.tasks.add(row) };

  constructor(options: {
    index: number;
    id: string;
    tenantId: TenantId;
    name: string;
    slots: ReadonlyMap<string, number>;
    labels: ReadonlyMap<string, LabelValue>;
    beginsUnsaid: boolean;
    forgetsResults: boolean;
  }) {
    this.index = options.index;
    this.id = options.id;
    this.tenantId = options.tenantId;
    this.name = options.name;
    this.slots = options.slots;
    this.labels = options.labels;
    this.beginsUnsaid = options.beginsUnsaid;
    this.forgetsResults = options.forgetsResults;
  }

  takes(cost: readonly SlotUse[]): boolean {
    if (!this.assignable || this.isLeaving || this.isBlocked || this.paused || this.ended) return false;
    return cost.every(({ type, units }) => (this.slots.get(type) ?? 0) - (this.used.get(type) ?? 0) >= units);
  }

  occupy(cost: readonly SlotUse[], undo?: UndoLog): void {
    for (const { type, units } of cost) this.used.set(type, (this.used.get(type) ?? 0) + units);
    undo?.keep(occupied, this, cost);
  }

  vacate(cost: readonly SlotUse[], undo?: UndoLog): void {
    for (const { type, units } of cost) this.used.set(type, (this.used.get(type) ?? 0) - units);
    undo?.keep(vacated, this, cost);
  }

  hold(row: TaskRow, undo?: UndoLog): void {
    this.tasks.add(row);
    undo?.note(this.#held, row);
  }

  drop(row: TaskRow, undo: UndoLog): void {
    if (this.tasks.delete(row)) undo.note(this.#dropped, row);
  }
}

const occupied: Restore<PlannerWorker, readonly SlotUse[]> = { restore: (worker, cost) => worker.vacate(cost) };
const vacated: Restore<PlannerWorker, readonly SlotUse[]> = { restore: (worker, cost) => worker.occupy(cost) };
