import type { PauseRules } from './pause-rules.ts';
import type { Transition } from './task/transition.ts';
import type { CatchUp } from './time/missed-ticks.ts';
import type { EntryKind } from './durable/durable.ts';
import type { RateLimitWindow } from './definition.ts';
import type { TerminalStatus } from './task/status.ts';
import type { TenantId } from './ids/tenant-id.ts';

export interface RunInsert {
  id: string;
  tenantId: TenantId;
  workflowId: string;
  versionId: string;
  priority: number;
  input: string;
  metadata: string;
  parentTaskId: string | null;
  childIndex: number | null;
  childKey: string | null;
  /** JSON object: the payload of the filter that let an event start it. */
  filterPayload: string | null;
  /** JSON of RunPlacement; null for a run that asks for nothing of its own. */
  placement: string | null;
  /** The run is its own only task, which has its id: no row of `task` is stored. */
  oneTask: boolean;
  /** The number of the journal's row of its creation, where the run tells that itself (`engine/plan/state/queued-by-runs.ts`). */
  queuedSeq: number | null;
}

export interface TaskInsert {
  id: string;
  runId: string;
  step: number;
}

export interface ResultRow {
  taskId: string;
  generation: number;
  status: TerminalStatus;
  attempt: number;
  seq: number;
  output: string | null;
  error: string | null;
  /** Starts of a durable task so far. */
  invocation: number;
}

export interface RunEndRow {
  tenantId: TenantId;
  /** 0: a replay opened the generation, and it has not ended. */
  status: TerminalStatus | 0;
  runId: string;
  generation: number;
  seq: number;
  /** The run's one task has completed: its result says the same, and no row is stored. */
  saidByResult: boolean;
}

export interface HistoryRow {
  taskId: string;
  seq: number;
  tenantId: TenantId;
  attempt: number;
  readonly transitions: Transition[];
  workerId: string | null;
  message: string | null;
  /** For the live feed: not stored, since `task` and `run` have them. */
  runId: string;
  stepName: string;
  workflowName: string;
  /** Told, and not stored: the run's own row says it. */
  toldByRun?: true;
  /** For metrics: how long an attempt that was ASSIGNED had been ready. Not stored. */
  waitedUs?: number;
  /** For metrics: what was ASSIGNED is an attempt that goes on after an eviction. Not stored. */
  isRestored?: true;
}

export interface LiveRow {
  taskId: string;
  runId: string;
  tenantId: TenantId;
  versionId: string;
  shard: number;
  step: number;
  state: number;
  flags: number;
  priority: number;
  generation: number;
  attempt: number;
  retries: number;
  reassigns: number;
  deaths: number;
  unanswered: number;
  seq: number;
  dueUs: number;
  workerId: string | null;
  /** The batch in which its attempt runs. */
  batchId: string | null;
  /** JSON; null for a task that asks nothing. Never changes in a generation. */
  demands: string | null;
  /** Starts of a durable task so far. */
  invocation: number;
}

export interface WorkflowRow {
  id: string;
  tenantId: TenantId;
  name: string;
}

export interface VersionRow {
  id: string;
  workflowId: string;
  tenantId: TenantId;
  ordinal: number;
  checksum: string;
  definition: string;
}

export interface WorkerRow {
  id: string;
  tenantId: TenantId;
  name: string;
  actions: readonly string[];
  slots: string;
  labels: string;
  runtime: string;
}

export interface WorkerUpdateRow {
  id: string;
  /** JSON object merged into the labels; null leaves them. */
  labels: string | null;
  paused: boolean | null;
  ended: boolean;
}

export interface WorkflowUpdateRow extends PauseRules {
  id: string;
  paused: boolean;
  /** When its last pause ended, as the shard's own clock (`storedDue`); null for never. */
  resumedUs: number | null;
  deleted: boolean;
}

/** The worker that a run keeps to. */
export interface StickyRow {
  taskId: string;
  workerId: string;
}

export interface EventRow {
  id: string;
  tenantId: TenantId;
  key: string;
  scope: string | null;
  payload: string;
  metadata: string;
  /** The webhook that it came by. */
  webhookName: string | null;
}

export interface EventRunRow {
  eventId: string;
  runId: string;
  filterId: string | null;
}

/** Whose it is, is said by the command that brings it. */
export type FilterFields = Omit<FilterRow, 'tenantId'>;
export type CronFields = Omit<CronRow, 'tenantId'>;
export type ScheduleFields = Omit<ScheduleRow, 'tenantId'>;

export interface FilterRow {
  id: string;
  tenantId: TenantId;
  workflowId: string;
  scope: string;
  /** CEL. */
  expression: string;
  /** JSON object. */
  payload: string;
  /** Came with the workflow's registration. */
  isDeclared: boolean;
}

export interface CronRow {
  id: string;
  tenantId: TenantId;
  workflowId: string;
  name: string;
  expression: string;
  zone: string;
  catchUp: CatchUp;
  input: string;
  metadata: string;
  priority: number | null;
  enabled: boolean;
  isDeclared: boolean;
  nextUs: number;
  /** The last tick that made a run, and that run. */
  lastUs: number | null;
  lastRunId: string | null;
}

export interface CronUpdateRow {
  id: string;
  nextUs: number;
  enabled: boolean;
  lastError: string | null;
  lastUs: number | null;
  lastRunId: string | null;
}

export interface ScheduleRow {
  id: string;
  tenantId: TenantId;
  workflowId: string;
  dueUs: number;
  input: string;
  metadata: string;
  priority: number | null;
  parentTaskId: string | null;
}

export interface ScheduleUpdateRow {
  id: string;
  dueUs: number;
  runId: string | null;
  error: string | null;
}

export interface IdempotencyRow {
  tenantId: TenantId;
  key: string;
  runId: string;
  /** Held until the run has ended, at most until it expires. */
  byStatus: boolean;
  expiresUs: number;
}

/** A delivery to a webhook, by one of the keys that it is known again by. */
export interface WebhookDeliveryRow {
  webhookId: string;
  key: string;
  eventId: string;
  expiresUs: number;
}

export interface WaitRow {
  taskId: string;
  tenantId: TenantId;
  sinceUs: number;
  /** The number of the shard's sequence at `sinceUs`. */
  sinceSeq: number;
  /** JSON list of the conditions that are no longer open. */
  resolved: string;
}

/** An event that wakes what waits for it in later transactions. */
export interface EventWakingRow extends EventWakingRef {
  eventId: string;
  tenantId: TenantId;
  key: string;
}

export interface EventWakingRef {
  shard: number;
  seq: number;
}

export interface DurableEntryRow {
  taskId: string;
  branch: number;
  node: number;
  kind: EntryKind;
  fingerprint: string;
  /** JSON of Asked. */
  asked: string;
  invocation: number;
  seq: number;
  childRunId: string | null;
}

export interface DurableResultRow {
  taskId: string;
  branch: number;
  node: number;
  /** -1: the whole node. */
  condition: number;
  seq: number;
  status: TerminalStatus;
  payload: string | null;
  /** Of the child whose output it is. */
  generation: number | null;
}

export interface DurableListenRow {
  taskId: string;
  branch: number;
  node: number;
  /** Its place among the conditions of the node. */
  condition: number;
  tenantId: TenantId;
  eventKey: string;
  /** '' for any. */
  scope: string;
  /** See `guardOf`. */
  guard: string;
  expression: string;
  /** Since when it listens: a number of the shard's sequence. */
  seq: number;
}

export interface DurableNodeRef {
  taskId: string;
  branch: number;
  node: number;
}

export interface RateLimitRow {
  tenantId: TenantId;
  key: string;
  limit: number;
  window: RateLimitWindow;
  windowLimit: number;
  windowStartUs: number;
  used: number;
  isStatic: boolean;
  pausedUntilUs: number;
}

/** Everything that one transaction writes. */
export interface TransactionRows {
  readonly runs: readonly RunInsert[];
  readonly tasks: readonly TaskInsert[];
  readonly results: readonly ResultRow[];
  readonly runEnds: readonly RunEndRow[];
  readonly history: readonly HistoryRow[];
  readonly workflows: readonly WorkflowRow[];
  readonly versions: readonly VersionRow[];
  readonly workers: readonly WorkerRow[];
  readonly workerUpdates: readonly WorkerUpdateRow[];
  readonly workflowUpdates: readonly WorkflowUpdateRow[];
  readonly stickies: readonly StickyRow[];
  readonly events: readonly EventRow[];
  readonly eventRuns: readonly EventRunRow[];
  readonly wakings: readonly EventWakingRow[];
  /** Events that have been told to all that waited for them. */
  readonly wakingDeletes: readonly EventWakingRef[];
  readonly filters: readonly FilterRow[];
  readonly filterDeletes: readonly string[];
  readonly crons: readonly CronRow[];
  readonly cronUpdates: readonly CronUpdateRow[];
  readonly cronDeletes: readonly string[];
  readonly schedules: readonly ScheduleRow[];
  readonly scheduleUpdates: readonly ScheduleUpdateRow[];
  readonly scheduleDeletes: readonly string[];
  readonly keyClaims: readonly IdempotencyRow[];
  readonly deliveries: readonly WebhookDeliveryRow[];
  readonly waits: readonly WaitRow[];
  readonly waitDeletes: readonly string[];
  readonly rateLimits: readonly RateLimitRow[];
  readonly durableEntries: readonly DurableEntryRow[];
  readonly durableResults: readonly DurableResultRow[];
  readonly durableListens: readonly DurableListenRow[];
  /** Nodes that listen no more. */
  readonly durableListenDeletes: readonly DurableNodeRef[];
  /** Durable tasks that have ended. */
  readonly durableEnds: readonly string[];
  readonly liveInserts: readonly LiveRow[];
  readonly liveUpdates: readonly LiveRow[];
  readonly liveDeletes: readonly string[];
}

/** One shard's part in a transaction: what it must find in the shard's row, and what it leaves there. */
export interface ShardStep {
  id: number;
  epoch: number;
  lastTransaction: number;
  seq: number;
  lostUs: number;
}
