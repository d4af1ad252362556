import { waitingPause } from '../../model/pause-rules.ts';
import { LiveFlag } from '../../model/task/live-state.ts';
import type { TerminalStatus } from '../../model/task/status.ts';
import { childrenOf } from '../../model/topology.ts';
import { beginsUnsaid, forgetsResults, type WorkerRuntime } from '../../model/worker-runtime.ts';
import { ActionQueue, type QueueEvents } from '../queue/action-queue.ts';
import { Batches } from '../batch-tasks/batches.ts';
import { sweepAt, type RateLimit, type Refill } from '../rate-limits/rate-limit.ts';
import type { ConcurrencyGroup } from '../concurrency/concurrency-group.ts';
import { DeadlineHeap } from '../timers/deadline-heap.ts';
import { DurableIndex } from '../durable/durable-index.ts';
import type { CatchUp } from '../../model/time/missed-ticks.ts';
import type { FilterRow, IdempotencyRow } from '../../model/stored-rows.ts';
import type { LabelValue } from '../../model/task/worker-labels.ts';
import type { Placement, WorkflowState } from '../queue/placement.ts';
import { PlannerWorker } from '../queue/planner-worker.ts';
import { LatestVersions } from './latest-versions.ts';
import { RowMap } from './table/row-map.ts';
import type { SharedDemands } from './shared-demands.ts';
import type { TaskExtras } from './task-extras.ts';
import { TaskLists } from './table/task-lists.ts';
import type { TaskWait } from '../conditions/task-wait.ts';
import { TimerHeap, type Timer, type TimerRef } from '../timers/timer-heap.ts';
import { TaskTable } from './table/task-table.ts';
import { EventWaiters } from './event-waiters.ts';
import { EventWakings } from './event-wakings.ts';
import { wakingLimits, type WakingLimits } from './waking-limits.ts';
import { UnsettledWork } from './unsettled-work.ts';
import type { Step, Version } from './workflow-version.ts';
import { UndoLog, type Inverse, type Restore } from './undo-log.ts';
import { isRunRow, type RunRow, type TaskRow } from './table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** A cron as the planner needs it; its input stays in Postgres. */
export interface CronTimer extends Timer {
  readonly kind: 'cron';
  readonly name: string;
  readonly expression: string;
  readonly zone: string;
  readonly catchUp: CatchUp;
  readonly enabled: boolean;
  readonly isDeclared: boolean;
  readonly priority: number | null;
  /** The last tick that made a run, and that run. */
  readonly lastUs: number | null;
  readonly lastRunId: string | null;
  /** Why the last tick made none. */
  readonly lastError: string | null;
}

export type Filter = Readonly<FilterRow>;

/** A run of several tasks while any of them is unfinished. */
export interface LiveRun {
  runId: string;
  version: Version;
  generation: number;
  priority: number;
  taskIds: readonly string[];
  /** How each step ended; 0 while it has not. */
  outcomes: (TerminalStatus | 0)[];
  /** Steps that completed by being skipped. */
  skipped: Set<number>;
  /** By step, of the outputs that a batch will carry. */
  outputBytes: Map<number, number>;
  unfinished: number;
  /** Task rows still in memory: the unfinished ones, and those whose worker has still to be told of their end. */
  rows: number;
  ended: boolean;
}

/** A sequence gains no more than this on the time by transactions that give out many numbers. */
const farAheadUs = 1_000_000;

function queueKey(tenantId: TenantId, action: string): string {
  return `${tenantId}\0${action}`;
}

/** All that one shard remembers. What is not here is in Postgres alone. */
export class ShardState {
  readonly id: number;
  epoch: number;
  lastTransaction: number;
  /**
   * The newest number of the shard's sequence. Time pushes it forward, so that rows of one time lie together whatever the
   * shard; it never goes back, and no time is read from it that decides anything (docs/adr/0047-time-and-order.md).
   */
  seq: number;
  /** Microseconds in which no engine owned the shard, or its engine stood still, summed; see deadlines in `live`. */
  lostUs: number;
  /** The engine's standstills that `lostUs` has counted: those before the shard's first transaction belong to the take-over. */
  #countedUs: number | undefined;

  /** The time that its last transaction saw. */
  seenUs = 0;
  /** When the newest window of a rate limit began. Later than the present time where the clock was ahead, and is set back. */
  newestWindowUs = 0;

  readonly undo = new UndoLog();
  readonly tasks = new TaskTable();
  readonly lists = new TaskLists(this.tasks);
  readonly deadlines = new DeadlineHeap(this.tasks);
  readonly steps: Step[] = [];
  readonly versions = new Map<string, Version>();
  readonly latest = new LatestVersions();
  readonly workflows = new Map<string, WorkflowState>();
  readonly queues = new Map<string, ActionQueue>();
  /** By task row: requests for places, rate limits, labels, stickiness of those tasks that have them. */
  readonly extras = new RowMap<TaskExtras>();
  /** What tasks ask for, by tenant and text. */
  readonly demands = new Map<TenantId, Map<string, SharedDemands>>();
  /** To be forgotten after the commit, unless they are asked for again. */
  readonly unusedDemands = new Set<SharedDemands>();
  /** By task row, the conditions of those that have some. */
  readonly waits = new Map<TaskRow, TaskWait>();
  readonly eventWaiters = new EventWaiters();
  readonly wakings = new EventWakings();
  readonly wakingLimits: WakingLimits;
  /** Claims of idempotency keys that the transaction in planning asks for. */
  readonly keyClaims = new Map<string, IdempotencyRow>();
  readonly batches = new Batches({
    lists: this.lists,
    bytesOf: (row) => this.extras.get(row)?.batchBytes ?? 0,
    sinceOf: (row) => this.extras.get(row)?.gatheredUs ?? 0,
  });
  readonly crons = new Map<string, CronTimer>();
  /** Those that have not run yet. */
  readonly schedules = new Map<string, Timer>();
  readonly timers = new TimerHeap<Timer>((timer) => this.isCurrentTimer(timer));
  /** By workflow. */
  readonly filters = new Map<string, Map<string, Filter>>();
  readonly durable = new DurableIndex();
  readonly groups = new Map<string, ConcurrencyGroup>();
  /** By tenant and key. */
  readonly rateLimits = new Map<string, RateLimit>();
  /** When windows are over that tasks wait for. */
  readonly refills = new TimerHeap<Refill>((refill) => refill.limit.refill === refill);
  sweepLimitsAt = sweepAt;
  /** Queues with much to forget after the commit. */
  readonly outgrownQueues = new Set<ActionQueue>();
  readonly unsettled = new UnsettledWork({ undo: this.undo, lists: this.lists });
  /** Groups that lost their last request, to be forgotten after the commit. */
  readonly abandoned = new Set<ConcurrencyGroup>();
  readonly workers: (PlannerWorker | undefined)[] = [];
  readonly workersById = new Map<string, PlannerWorker>();
  /** The queues of each worker's actions. */
  readonly #workerQueues = new WeakMap<PlannerWorker, readonly ActionQueue[]>();
  readonly runs: (LiveRun | undefined)[] = [];
  readonly freeRuns: RunRow[] = [];
  readonly runsById = new Map<string, RunRow>();
  readonly #runAdded: Inverse = { undo: (row: RunRow) => this.removeRun(row) };
  readonly #runRemoved: Restore<LiveRun, RunRow> = { restore: (run, row) => this.restoreRun(row, run) };
  /** Rows that the current transaction will write to `live`. */
  dirtyRows: TaskRow[] = [];
  /** By transaction, those that were written since memory was tidied: rows of ended tasks are among them, to be swept then. */
  readonly writtenRows: TaskRow[][] = [];
  readonly touched: Inverse = { undo: () => this.dirtyRows.pop() };
  /** Those that are being deleted. */
  readonly closedTenants = new Set<TenantId>();
  readonly counts = { triggered: 0, finished: 0, running: 0 };

  readonly #queueEvents: QueueEvents = {
    opened: (queue) => this.unsettled.noteQueue(queue),
    outgrown: (queue) => this.outgrownQueues.add(queue),
    limitChanged: ({ tenantId, key }) => {
      const limit = this.rateLimits.get(`${tenantId} ${key}`);
      if (limit !== undefined) this.unsettled.noteLimit(limit);
    },
  };

  constructor(options: {
    id: number;
    epoch: number;
    lastTransaction: number;
    seq: number;
    lostUs: number;
    wakingLimits?: WakingLimits;
  }) {
    this.id = options.id;
    this.epoch = options.epoch;
    this.lastTransaction = options.lastTransaction;
    this.seq = options.seq;
    this.lostUs = options.lostUs;
    this.wakingLimits = options.wakingLimits ?? wakingLimits;
  }

  /** The engine has stood still for so long in all; less than before where a clock was set back. Not while a transaction is being planned: what it changes is not undone. */
  countStandstill(totalUs: number): void {
    const newUs = totalUs - (this.#countedUs ?? totalUs);
    this.#countedUs = totalUs;
    if (newUs === 0) return;
    this.lostUs += newUs;
    this.deadlines.standStill(newUs);
  }

  /** When something got a number of the sequence: the number itself, unless a clock was ahead once and the sequence still is. */
  timeOf(seq: number, nowUs: number): number {
    return seq - nowUs > farAheadUs ? nowUs : seq;
  }

  nextSeq(nowUs: number): number {
    this.seq = Math.max(this.seq + 1, nowUs);
    return this.seq;
  }

  queueFor(tenantId: TenantId, action: string): ActionQueue {
    const key = queueKey(tenantId, action);
    let queue = this.queues.get(key);
    if (queue === undefined) {
      queue = new ActionQueue({ tenantId, action, tasks: this.tasks, lists: this.lists, events: this.#queueEvents });
      this.queues.set(key, queue);
    }
    return queue;
  }

  addVersion(options: Omit<Version, 'firstStep' | 'children' | 'batchParents'>, undo?: UndoLog): Version {
    const { definition } = options;
    const children = childrenOf(definition.steps.map((step) => step.parents));
    const batchParents = new Set(definition.steps.flatMap((step) => (step.batch === null ? [] : step.parents)));
    const version: Version = { ...options, firstStep: this.steps.length, children, batchParents };
    for (const [index, step] of definition.steps.entries()) {
      const slots = Object.entries(step.slots).map(([type, units]) => ({ type, units }));
      const placement: Placement = {
        signature: `${options.workflowId} ${JSON.stringify([step.slots, step.labels])}`,
        costGroup: `${options.workflowId} ${JSON.stringify(step.slots)}`,
        workflow: this.workflowState(options.workflowId),
        cost: slots,
        labels: step.labels,
        sticky: null,
      };
      const queue = this.queueFor(options.tenantId, step.action);
      queue.steps++;
      const constraint = { signature: placement.signature, placement, rateLimits: [] };
      this.steps.push({ version, index, definition: step, slots, queue, placement, constraint });
    }
    this.versions.set(options.versionId, version);
    undo?.keep(this.#versionAdded, version, undefined);
    this.latest.offer(version, undo);
    return version;
  }

  readonly #versionAdded: Restore<Version> = { restore: (version) => this.#dropVersion(version) };

  /** Undoes addVersion, but for what is the newest version. Of the last one alone. */
  #dropVersion({ firstStep, versionId }: Version): void {
    for (const { queue } of this.steps.splice(firstStep)) {
      queue.steps--;
      this.#dropUnused(queue);
    }
    this.versions.delete(versionId);
  }

  workflowState(workflowId: string): WorkflowState {
    let workflow = this.workflows.get(workflowId);
    if (workflow === undefined) {
      workflow = { workflowId, paused: false, pauseRules: waitingPause, resumedUs: 0, deleted: false };
      this.workflows.set(workflowId, workflow);
    }
    return workflow;
  }

  addCron(cron: CronTimer): void {
    this.crons.set(cron.id, cron);
    if (cron.enabled) this.timers.push(cron);
  }

  addSchedule(schedule: Timer): void {
    this.schedules.set(schedule.id, schedule);
    this.timers.push(schedule);
  }

  isCurrentTimer({ kind, id, tenantId, dueUs }: TimerRef): boolean {
    const timer = kind === 'schedule' ? this.schedules.get(id) : this.crons.get(id);
    if (timer?.dueUs !== dueUs || timer.tenantId !== tenantId) return false;
    return kind === 'schedule' || this.crons.get(id)?.enabled === true;
  }

  /** A workflow's filters, by id. */
  filtersOf(workflowId: string): Map<string, Filter> {
    const filters = this.filters.get(workflowId) ?? new Map<string, Filter>();
    this.filters.set(workflowId, filters);
    return filters;
  }

  /** When time alone changes something: the first deadline, timer, sleep, interval of a batch, or refill that tasks wait for. */
  get nextDueUs(): number {
    return Math.min(this.timers.nextUs, this.nextTickUs);
  }

  /** As `nextDueUs`, of what the planner itself moves. */
  get nextTickUs(): number {
    return Math.min(this.deadlines.nextUs, this.nextRefillUs, this.batches.nextUs, this.durable.sleeps.nextUs);
  }

  get nextRefillUs(): number {
    return this.refills.nextUs;
  }

  /** The last transaction had no room for all that it led to: another is needed, whether a command waits or not. */
  get hasMore(): boolean {
    return !this.unsettled.isEmpty;
  }

  latestVersion(tenantId: TenantId, name: string): Version | undefined {
    return this.latest.get(tenantId, name);
  }

  addWorker(options: {
    id: string;
    tenantId: TenantId;
    name: string;
    actions: readonly string[];
    slots: ReadonlyMap<string, number>;
    labels: ReadonlyMap<string, LabelValue>;
    runtime: WorkerRuntime;
  }): PlannerWorker {
    const worker = new PlannerWorker({
      ...options,
      index: this.workers.length,
      beginsUnsaid: beginsUnsaid(options.runtime),
      forgetsResults: forgetsResults(options.runtime),
    });
    this.workers.push(worker);
    this.#workerQueues.set(
      worker,
      options.actions.map((action) => this.queueFor(options.tenantId, action)),
    );
    this.restoreWorker(worker);
    return worker;
  }

  queuesOf(worker: PlannerWorker): readonly ActionQueue[] {
    return this.#workerQueues.get(worker) ?? [];
  }

  /** Undoes removeWorker. */
  restoreWorker(worker: PlannerWorker): void {
    this.workers[worker.index] = worker;
    this.workersById.set(worker.id, worker);
    for (const queue of this.queuesOf(worker)) {
      queue.workers.push(worker);
      this.queues.set(queueKey(queue.tenantId, queue.action), queue);
    }
  }

  /** Forgets a worker that holds nothing any more. Its index is never reused. */
  removeWorker(worker: PlannerWorker): void {
    for (const queue of this.queuesOf(worker)) {
      const at = queue.workers.indexOf(worker);
      if (at >= 0) queue.workers.splice(at, 1);
      this.#dropUnused(queue);
    }
    this.workers[worker.index] = undefined;
    this.workersById.delete(worker.id);
    this.unsettled.forget(worker);
  }

  #dropUnused(queue: ActionQueue): void {
    if (queue.isUnused) this.queues.delete(queueKey(queue.tenantId, queue.action));
  }

  addRun(run: LiveRun, undo?: UndoLog): RunRow {
    const row = this.freeRuns.pop() ?? this.runs.length;
    if (!isRunRow(row)) throw new Error('a run has no row: planner state is inconsistent');
    this.runs[row] = run;
    this.runsById.set(run.runId, row);
    undo?.note(this.#runAdded, row);
    return row;
  }

  removeRun(row: RunRow, undo?: UndoLog): void {
    const run = this.runs[row];
    if (run === undefined) return;
    this.runs[row] = undefined;
    this.runsById.delete(run.runId);
    this.freeRuns.push(row);
    undo?.keep(this.#runRemoved, run, row);
  }

  /** Undoes removeRun. */
  restoreRun(row: RunRow, run: LiveRun): void {
    this.runs[row] = run;
    this.runsById.set(run.runId, row);
    const at = this.freeRuns.lastIndexOf(row);
    if (at >= 0) this.freeRuns.splice(at, 1);
  }

  isArrival(row: TaskRow): boolean {
    return this.tasks.list[row] === this.unsettled.of(this.stepOf(row).version.tenantId).arrivals.id;
  }

  stepOf(row: TaskRow): Step {
    const step = this.steps[this.tasks.step[row] ?? -1];
    if (step === undefined) throw new Error(`task row ${row} has no step: planner state is inconsistent`);
    return step;
  }

  runOf(row: TaskRow): LiveRun | undefined {
    const run = this.tasks.run[row] ?? -1;
    return run < 0 ? undefined : this.runs[run];
  }

  /** The id of the run that a task belongs to. */
  runIdOf(row: TaskRow): string {
    return this.runOf(row)?.runId ?? this.tasks.id(row);
  }

  /** Its result is written; only its worker has still to be told. */
  isEnded(row: TaskRow): boolean {
    return ((this.tasks.flags[row] ?? 0) & LiveFlag.Ended) !== 0;
  }

  workerOf(row: TaskRow): PlannerWorker | undefined {
    const worker = this.tasks.worker[row] ?? -1;
    return worker < 0 ? undefined : this.workers[worker];
  }
}
