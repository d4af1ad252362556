import type {
  TransactionRows,
  DurableEntryRow,
  DurableListenRow,
  DurableNodeRef,
  DurableResultRow,
  EventWakingRef,
  EventWakingRow,
  IdempotencyRow,
  CronRow,
  CronUpdateRow,
  ScheduleRow,
  ScheduleUpdateRow,
  EventRow,
  EventRunRow,
  FilterRow,
  HistoryRow,
  LiveRow,
  RateLimitRow,
  ResultRow,
  RunEndRow,
  RunInsert,
  TaskInsert,
  VersionRow,
  WaitRow,
  WorkerRow,
  StickyRow,
  WorkerUpdateRow,
  WorkflowRow,
  WebhookDeliveryRow,
  WorkflowUpdateRow,
} from '../../model/stored-rows.ts';
import type { Effect } from '../../model/task/effect.ts';
import type { Inverse } from './undo-log.ts';
import type { RateLimit } from '../rate-limits/rate-limit.ts';
import type { ShardState } from './shard-state.ts';
import type { TaskRow } from './table/rows.ts';

const lists = [
  'runs',
  'tasks',
  'results',
  'runEnds',
  'history',
  'workflows',
  'versions',
  'workers',
  'workerUpdates',
  'workflowUpdates',
  'stickies',
  'events',
  'eventRuns',
  'wakings',
  'wakingDeletes',
  'filters',
  'filterDeletes',
  'crons',
  'cronUpdates',
  'cronDeletes',
  'schedules',
  'scheduleUpdates',
  'scheduleDeletes',
  'keyClaims',
  'deliveries',
  'durableEntries',
  'durableResults',
  'durableListens',
  'durableListenDeletes',
  'durableEnds',
  'effects',
] as const;
export type ChangeMark = readonly number[];

/** What a transaction will write, by table, and what it will cause. `live` is added when planning is over. */
export class ChangeSet implements TransactionRows {
  readonly runs: RunInsert[] = [];
  readonly tasks: TaskInsert[] = [];
  readonly results: ResultRow[] = [];
  readonly runEnds: RunEndRow[] = [];
  readonly history: HistoryRow[] = [];
  readonly workflows: WorkflowRow[] = [];
  readonly versions: VersionRow[] = [];
  readonly workers: WorkerRow[] = [];
  readonly workerUpdates: WorkerUpdateRow[] = [];
  readonly workflowUpdates: WorkflowUpdateRow[] = [];
  readonly stickies: StickyRow[] = [];
  readonly events: EventRow[] = [];
  readonly eventRuns: EventRunRow[] = [];
  readonly wakings: EventWakingRow[] = [];
  readonly wakingDeletes: EventWakingRef[] = [];
  /** What its events have been compared with and have met by now, those of refused commands too. */
  readonly meetings = { looks: 0, tasks: 0 };
  readonly filters: FilterRow[] = [];
  readonly filterDeletes: string[] = [];
  readonly crons: CronRow[] = [];
  readonly cronUpdates: CronUpdateRow[] = [];
  readonly cronDeletes: string[] = [];
  readonly schedules: ScheduleRow[] = [];
  readonly scheduleUpdates: ScheduleUpdateRow[] = [];
  readonly scheduleDeletes: string[] = [];
  readonly keyClaims: IdempotencyRow[] = [];
  readonly deliveries: WebhookDeliveryRow[] = [];
  readonly durableEntries: DurableEntryRow[] = [];
  readonly durableResults: DurableResultRow[] = [];
  readonly durableListens: DurableListenRow[] = [];
  readonly durableListenDeletes: DurableNodeRef[] = [];
  readonly durableEnds: string[] = [];
  /** By shard, tasks whose conditions have changed: their rows are made when planning is over. A row's number means nothing in another shard. */
  readonly #touchedWaits = new Map<ShardState, Set<TaskRow>>();
  readonly waits: WaitRow[] = [];
  readonly waitDeletes: string[] = [];
  readonly touchedLimits = new Set<RateLimit>();
  readonly rateLimits: RateLimitRow[] = [];
  readonly liveInserts: LiveRow[] = [];
  readonly liveUpdates: LiveRow[] = [];
  readonly liveDeletes: string[] = [];
  readonly effects: Effect[] = [];

  /** A mark is taken with each command: looking the lists up by their names made more garbage than what the command changed. */
  readonly #all: readonly (readonly unknown[])[] = lists.map((name) => this[name]);

  /** Takes a transition out of a journal row again: from the row's index, how many it had, and whether it named a worker. */
  readonly merged: Inverse = {
    undo: (index, before, hadWorker) => {
      const row = this.history[index];
      if (row === undefined) return;
      row.transitions.length = before;
      if (hadWorker === 0) row.workerId = null;
    },
  };

  touchWait(state: ShardState, row: TaskRow): void {
    const rows = this.#touchedWaits.get(state);
    if (rows === undefined) this.#touchedWaits.set(state, new Set([row]));
    else rows.add(row);
  }

  /** Rows of the shard whose conditions have changed since this was asked. */
  takeTouchedWaits(state: ShardState): Iterable<TaskRow> {
    const rows = this.#touchedWaits.get(state) ?? [];
    this.#touchedWaits.delete(state);
    return rows;
  }

  /** @param into an array to use again */
  mark(into: number[] = []): ChangeMark {
    const all = this.#all;
    for (let index = 0; index < all.length; index++) into[index] = all[index]?.length ?? 0;
    return into;
  }

  /** Forgets what was added since the mark. Transitions merged into older rows of the journal are its to undo. */
  truncate(mark: ChangeMark): void {
    for (const [index, name] of lists.entries()) this[name].length = mark[index] ?? 0;
  }

  get isEmpty(): boolean {
    return this.rowCount === 0;
  }

  /** Rows that are written or deleted. */
  get rowCount(): number {
    const live = this.liveInserts.length + this.liveUpdates.length + this.liveDeletes.length;
    let count = live + this.rateLimits.length + this.waits.length + this.waitDeletes.length;
    for (const name of lists) if (name !== 'effects') count += this[name].length;
    return count;
  }
}
