import type { Timer } from '../timers/timer-heap.ts';
import type { CronRow, FilterRow, ScheduleRow } from '../../model/rows.ts';
import type { CelResult } from '../../cel/cel-result.ts';
import type { RateLimitWindow, WorkflowDefinition } from '../../model/definition.ts';
import type {
  AttemptRef,
  BatchReportCommand,
  CompletedCommand,
  FailedCommand,
  StartedCommand,
} from './report-command.ts';
import type { LoadedRun } from './loaded-run.ts';
import type { TriggerRun } from './trigger-run.ts';
import type { DurableCommandByKind, DurableReplyByKind } from './durable-command.ts';

/** Everything that changes a shard's state. Ids are minted at the edge: running a command again with its ids changes nothing. */
export interface CommandByKind extends DurableCommandByKind {
  putWorkflow: PutWorkflowCommand;
  pauseWorkflow: PauseWorkflowCommand;
  putRateLimit: PutRateLimitCommand;
  deleteRateLimit: DeleteRateLimitCommand;
  trigger: TriggerCommand;
  pushEvent: PushEventCommand;
  putCron: PutCronCommand;
  setCronEnabled: SetCronEnabledCommand;
  putSchedules: PutSchedulesCommand;
  reschedule: RescheduleCommand;
  deleteTimers: DeleteTimersCommand;
  fireTimer: FireTimerCommand;
  putFilter: PutFilterCommand;
  deleteFilter: DeleteFilterCommand;
  registerWorker: RegisterWorkerCommand;
  updateWorker: UpdateWorkerCommand;
  workerPresence: WorkerPresenceCommand;
  workerLost: WorkerLostCommand;
  unsubscribe: UnsubscribeCommand;
  started: StartedCommand;
  completed: CompletedCommand;
  failed: FailedCommand;
  batchReport: BatchReportCommand;
  cancel: CancelCommand;
  replay: ReplayCommand;
  cancelSent: CancelSentCommand;
  returnUnsent: ReturnUnsentCommand;
  reassignUnstarted: ReassignUnstartedCommand;
  unanswered: UnansweredCommand;
  workerAnswered: WorkerAnsweredCommand;
  refreshTimeout: RefreshTimeoutCommand;
  releaseSlot: ReleaseSlotCommand;
  tick: TickCommand;
  putOff: PutOffCommand;
  closeTenant: CloseTenantCommand;
}
export type CommandKind = keyof CommandByKind;
export type Command = CommandByKind[CommandKind];

/** What each command answers, once it is committed. */
export interface ReplyByKind extends DurableReplyByKind {
  putWorkflow: PutWorkflowReply;
  pauseWorkflow: void;
  putRateLimit: void;
  deleteRateLimit: void;
  trigger: TriggerReply;
  pushEvent: void;
  putCron: void;
  setCronEnabled: void;
  putSchedules: void;
  reschedule: PutTimersReply;
  deleteTimers: PutTimersReply;
  fireTimer: void;
  putFilter: void;
  deleteFilter: void;
  registerWorker: void;
  updateWorker: void;
  workerPresence: void;
  workerLost: void;
  unsubscribe: void;
  started: void;
  completed: void;
  failed: void;
  batchReport: void;
  cancel: CancelReply;
  replay: ReplayReply;
  cancelSent: void;
  returnUnsent: void;
  reassignUnstarted: void;
  unanswered: void;
  workerAnswered: void;
  refreshTimeout: RefreshTimeoutReply;
  releaseSlot: void;
  tick: void;
  putOff: void;
  closeTenant: void;
}

export interface PutWorkflowCommand {
  kind: 'putWorkflow';
  tenantId: string;
  definition: WorkflowDefinition;
  /** Of everything that makes a version. */
  checksum: string;
  /** Used when the name is new. */
  workflowId: string;
  /** Used when the checksum is new. */
  versionId: string;
  /** The crons that it declares, with their first ticks: they take the place of those that an older version declared. */
  crons: readonly CronRow[];
  /** For the filters that come with a new workflow. */
  filterIds: readonly string[];
}
export interface PutWorkflowReply {
  workflowId: string;
  versionId: string;
}

/** A paused workflow's queued tasks wait; its running ones finish. */
export interface PauseWorkflowCommand {
  kind: 'pauseWorkflow';
  tenantId: string;
  workflowId: string;
  paused: boolean;
}

export interface PutRateLimitCommand {
  kind: 'putRateLimit';
  tenantId: string;
  key: string;
  limit: number;
  window: RateLimitWindow;
}

export interface DeleteRateLimitCommand {
  kind: 'deleteRateLimit';
  tenantId: string;
  key: string;
}

export interface TriggerCommand {
  kind: 'trigger';
  tenantId: string;
  runs: readonly TriggerRun[];
  /** The loader adds those of the callers' own ids that exist. */
  existing: Set<string>;
}
/** A run that an event starts, and the filter that lets it. */
export interface EventRun {
  run: TriggerRun;
  filterId: string | null;
}
/** A delivery to a webhook, which becomes an event once however often it comes. */
export interface Delivery {
  webhookId: string;
  nowUs: number;
  /** What it is known again by. */
  keys: readonly { key: string; expiresUs: number }[];
  /** The event that it has become before. */
  firstEventId: string | null;
}
export interface PushedEvent {
  id: string;
  key: string;
  scope: string | null;
  /** JSON. */
  payload: string;
  /** JSON object. */
  metadata: string;
  runs: readonly EventRun[];
  /** The webhook that it came by. */
  webhookName?: string | null | undefined;
  delivery?: Delivery | undefined;
  /** The loader adds what conditions that are too dear for the plan give on this event. */
  evaluated?: ReadonlyMap<string, CelResult>;
}
export interface PushEventCommand {
  kind: 'pushEvent';
  tenantId: string;
  events: readonly PushedEvent[];
  /** The loader adds those of the events that an uncertain try has stored. */
  existing: Set<string>;
}

export interface PutFilterCommand {
  kind: 'putFilter';
  filter: FilterRow;
}
export interface DeleteFilterCommand {
  kind: 'deleteFilter';
  tenantId: string;
  filterId: string;
}

export interface PutCronCommand {
  kind: 'putCron';
  cron: CronRow;
}
export interface SetCronEnabledCommand {
  kind: 'setCronEnabled';
  tenantId: string;
  cronId: string;
  enabled: boolean;
  /** The first tick from now on. */
  nextUs: number;
}
export interface PutSchedulesCommand {
  kind: 'putSchedules';
  schedules: readonly ScheduleRow[];
}
export interface RescheduleCommand {
  kind: 'reschedule';
  tenantId: string;
  updates: readonly { id: string; dueUs: number }[];
}
export interface DeleteTimersCommand {
  kind: 'deleteTimers';
  tenantId: string;
  timers: 'cron' | 'schedule';
  ids: readonly string[];
}
export interface PutTimersReply {
  ids: readonly string[];
}
export interface FireTimerCommand {
  kind: 'fireTimer';
  timer: Timer;
  /** Null for a tick that is passed over, or whose run could not be prepared. */
  run: TriggerRun | null;
  error: string | null;
  /** A cron's next tick. */
  nextUs: number;
  existing: Set<string>;
}

/** The run that holds an idempotency key, where another asks for it. */
export interface Collision {
  existingRunId: string;
  collidingRunId: string;
}

export interface TriggerReply {
  /** Those that exist now. */
  runIds: readonly string[];
  /** Those that were not made: other runs hold their keys. */
  collisions: readonly Collision[];
}

export interface RegisterWorkerCommand {
  kind: 'registerWorker';
  tenantId: string;
  workerId: string;
  name: string;
  /** Lower-case. */
  actions: readonly string[];
  slots: Readonly<Record<string, number>>;
  labels: Readonly<Record<string, string | number>>;
  runtime: Readonly<Record<string, string>>;
}

export interface UpdateWorkerCommand {
  kind: 'updateWorker';
  tenantId: string;
  workerId: string;
  /** Merged into the worker's labels. */
  labels?: Readonly<Record<string, string | number>>;
  paused?: boolean;
}

/** From the session layer: may the worker be given tasks? Memory only. */
export interface WorkerPresenceCommand {
  kind: 'workerPresence';
  workerId: string;
  assignable: boolean;
  /** Its stream has ended: until it is back or lost, nobody can say whether its tasks run, and no time passes for them. */
  away?: boolean;
}

/** How a worker died. */
export interface WorkerDeath {
  /** Such as `exit code 1`, `SIGKILL` or `no heartbeat for 30 s`. */
  how: string;
  /** Whoever saw its process end has said so: it never comes back. */
  isCertain: boolean;
  /** So many deaths of workers end a task. */
  mostDeaths: number;
}

/** The worker was silent for longer than the limit, or its process has ended: its tasks go elsewhere. */
export interface WorkerLostCommand {
  kind: 'workerLost';
  workerId: string;
  /** Absent where its tasks are not to count it. */
  death?: WorkerDeath;
  /** It is not expected back. */
  forget?: boolean;
  /** Its stream is open: it may be awake again, and is told that its attempts are over before they go elsewhere. */
  connected?: boolean;
}

export interface UnsubscribeCommand {
  kind: 'unsubscribe';
  tenantId: string;
  workerId: string;
}

export interface CancelCommand {
  kind: 'cancel';
  tenantId: string;
  /** Runs or tasks; unknown and ended ones are passed over. */
  ids: readonly string[];
}
export interface CancelReply {
  cancelled: readonly string[];
}

export interface ReplayCommand {
  kind: 'replay';
  tenantId: string;
  /** Runs or tasks. */
  ids: readonly string[];
  /** The loader brings the runs that these belong to. */
  loaded: readonly LoadedRun[];
  deferred: readonly string[];
  /** Generations of the runs when the loader first saw them: after an uncertain try, one that has moved on is not replayed again. */
  seen: Map<string, number>;
}
export interface ReplayReply {
  /** Tasks that run again. */
  replayed: readonly string[];
  /** Ids that another command must ask for: what their runs bring would be too much for one batch. */
  deferred: readonly string[];
}
/** The worker was told that its attempt is over (or is past telling). */
export interface CancelSentCommand extends AttemptRef {
  kind: 'cancelSent';
}

/** The stream was gone before the attempt could be written to it. */
export interface ReturnUnsentCommand extends AttemptRef {
  kind: 'returnUnsent';
}

/** Sent, perhaps, but no sign of a start since the worker's stream came back. */
export interface ReassignUnstartedCommand extends AttemptRef {
  kind: 'reassignUnstarted';
}

/** Sent 5 s ago, on a stream that is open, and the worker has said nothing of them. */
export interface UnansweredCommand {
  kind: 'unanswered';
  workerId: string;
  attempts: readonly (AttemptRef & { invocation: number | null })[];
}

/** A worker that did not answer has said something. */
export interface WorkerAnsweredCommand {
  kind: 'workerAnswered';
  workerId: string;
}

export interface RefreshTimeoutCommand {
  kind: 'refreshTimeout';
  tenantId: string;
  taskId: string;
  incrementMs: number;
}
export interface RefreshTimeoutReply {
  timeoutAtUs: number;
}

export interface ReleaseSlotCommand {
  kind: 'releaseSlot';
  tenantId: string;
  taskId: string;
}

/** Time has come for the first deadlines. */
export interface TickCommand {
  kind: 'tick';
  /** Of what is due, so many at the most, the first first; by default as many as one batch takes. */
  most?: number;
}

/** What is due for a task waits longer, in memory alone: Postgres refuses what would come of it. */
export interface PutOffCommand {
  kind: 'putOff';
  taskId: string;
  untilUs: number;
}

/** The tenant is being deleted: nothing new of it begins any more. Memory only: after a take-over it is said again. */
export interface CloseTenantCommand {
  kind: 'closeTenant';
  tenantId: string;
}
