import type { DurableLogRow } from './durable-log-row.ts';
import type { QueueFigures } from './queue-rows.ts';
import type { ScheduleFigures } from './schedule-rows.ts';
import type { RunStatusName, WorkerStatusName } from '../status-name.ts';

/** Dates are ISO 8601 in UTC; null means "not yet". These shapes are what `-o json` prints. */
export interface RunRow {
  runId: string;
  workflow: string;
  status: RunStatusName;
  createdAt: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  /** Null where the engine does not tell it. */
  priority: number | null;
  taskCount: number;
  parentRunId: string | null;
  errorMessage: string | null;
  metadata: unknown;
  /** Bytes of the metadata, or of the error, where they were too much for a list. */
  metadataLeftOutBytes?: number;
  errorLeftOutBytes?: number;
}

export interface TaskRow {
  taskId: string;
  name: string;
  status: RunStatusName;
  parents: readonly string[];
  attempt: number;
  /** Null where the engine does not tell them. */
  retries: number | null;
  workerId: string | null;
  workerName: string | null;
  output: unknown;
  /** Bytes of the output, or of the error, where they were too much to come with the others: they are null then. */
  outputLeftOutBytes?: number;
  errorLeftOutBytes?: number;
  errorMessage: string | null;
  errorStack: string | null;
  createdAt: string | null;
  queuedAt: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  durable: boolean;
  /** What an unfinished task is doing, such as READY or DELAYED; empty once it ended. */
  liveState: string;
  /** Why an unfinished task is not running, and what would end that. */
  cause: CauseRow | null;
}

export interface CauseRow {
  code: string;
  text: string;
  /** When time alone ends it. */
  until: string | null;
  /** Runs, tasks or workers that it names. */
  ids: readonly string[];
}

export interface RunDetail {
  run: RunRow;
  input: unknown;
  /** Bytes of the input, where it was too much. */
  inputLeftOutBytes?: number;
  tasks: readonly TaskRow[];
}

/** One transition. */
export interface EventRow {
  cursor: string;
  time: string | null;
  runId: string;
  workflow: string;
  /** Empty, as the name, for an event of the whole run. A run of one task has that task's id. */
  taskId: string;
  task: string;
  attempt: number;
  type: string;
  status: RunStatusName;
  message: string;
  /** The worker that it happened on, if any. */
  workerId: string | null;
  /** Of a durable task that failed because its code asks for something else than its log holds. */
  mismatch?: MismatchRow;
}

export interface MismatchRow {
  node: number;
  /** In a few words. */
  recorded: string;
  asked: string;
}

export interface LogRow {
  cursor: string;
  time: string | null;
  taskId: string;
  task: string;
  attempt: number;
  level: string;
  message: string;
}

export interface WorkflowRow {
  workflowId: string;
  name: string;
  description: string;
  versionId: string;
  createdAt: string | null;
  /** Null where a list does not tell it. */
  taskCount: number | null;
  /** Its queued tasks wait. */
  paused: boolean;
  /** Keys, or patterns with `*`, of the events that start it. */
  eventKeys: readonly string[];
}

export interface WorkflowDetail {
  workflow: WorkflowRow;
  tasks: readonly {
    name: string;
    parents: readonly string[];
    retries: number | null;
    executionTimeout: string;
    scheduleTimeout: string;
    durable: boolean;
  }[];
  /** JSON Schema of the input, null when the worker sent none. */
  inputJsonSchema: unknown;
  defaultPriority: number;
}

export interface WorkerRow {
  workerId: string;
  name: string;
  status: WorkerStatusName;
  slots: readonly { type: string; total: number; used: number }[];
  actions: readonly string[];
  registeredAt: string | null;
  lastHeartbeatAt: string | null;
  sdk: string;
}

export interface Overview {
  engineVersion: string;
  engineStartedAt: string | null;
  queued: number;
  running: number;
  triggered: number;
  finished: number;
  workers: number;
  slotsTotal: number;
  slotsUsed: number;
  /** Changes when the list of workflows does. */
  workflowsRevision: string;
}

export interface RunFilter {
  statuses?: readonly RunStatusName[];
  workflows?: readonly string[];
  since?: Date;
  until?: Date;
  metadata?: Readonly<Record<string, string>>;
  /** Default 50, at most 1000. */
  limit?: number;
  page?: string;
  search?: string;
  /** Only the children of this run, or of this task. */
  parent?: string;
  /** Only those that this event has started. */
  eventId?: string;
}

export interface EventBatch {
  events: readonly EventRow[];
  /** Where to resume. */
  cursor: string;
  live: boolean;
}

/**
 * All that the CLI and the terminal UI read of an engine: by our monitoring service, or where there is none, as on a Hatchet
 * cluster, by the REST API of the contract. Errors are ServerError; what an engine does not offer is a NotOffered.
 */
export interface RunReader {
  listRuns(filter: RunFilter): Promise<{ rows: readonly RunRow[]; next: string | null }>;
  getRun(runId: string): Promise<RunDetail>;
  /** The same, with what each unfinished task waits for. @throws NotOffered where the engine does not tell */
  whyRun(runId: string): Promise<RunDetail>;
  /** Those that an event has started, which was pushed just now. */
  runsOfEvent(eventId: string): Promise<readonly RunRow[]>;
  /** Every transition of one run, or of all from `after` (default: from now) on; ends when the run does, or at the signal. */
  streamEvents(
    options: { runId?: string; after?: string; workflows?: readonly string[] },
    signal: AbortSignal,
  ): AsyncIterable<EventBatch>;
  /** As listRuns, each with its input and outputs; the filter's limit may be any, and none means all. */
  exportRuns(filter: RunFilter, signal: AbortSignal): AsyncIterable<RunDetail>;
  /** The transitions of one run, a page of them, oldest first. */
  listEvents(
    runId: string,
    options: { after?: string; limit: number },
  ): Promise<{ rows: readonly EventRow[]; next: string | null }>;
  /** The first lines, or with `newest` the last ones, in the order in which they were logged. */
  listLogs(
    id: string,
    options: { limit?: number; levels?: readonly string[]; search?: string; newest?: boolean },
  ): Promise<readonly LogRow[]>;
  /** Ends once the run has ended and all its lines were sent. */
  streamLogs(id: string, after: string | undefined, signal: AbortSignal): AsyncIterable<readonly LogRow[]>;
  /** By the id of a durable task, or of a run that has no other; whole outputs, however long. */
  getDurableLog(id: string): Promise<DurableLogRow>;
  /** The log, then what is asked and satisfied; outputs are cut. Ends at the signal. */
  streamDurableLog(id: string, signal: AbortSignal): AsyncIterable<DurableLogRow>;
  listWorkflows(): Promise<readonly WorkflowRow[]>;
  getWorkflow(name: string): Promise<WorkflowDetail>;
  listWorkers(options: { all: boolean }): Promise<readonly WorkerRow[]>;
  streamOverview(signal: AbortSignal): AsyncIterable<Overview>;
  listQueues(): Promise<QueueFigures>;
  /** At once, then after changes. */
  streamQueues(signal: AbortSignal): AsyncIterable<QueueFigures>;
  listSchedules(): Promise<ScheduleFigures>;
  /** At once, then after changes. */
  streamSchedules(signal: AbortSignal): AsyncIterable<ScheduleFigures>;
  close(): void;
}
