/** Status of a run or a task. */
export type RunStatusName = 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';

interface ResourceMetadata {
  id: string;
  createdAt: string;
  updatedAt: string;
}

/** One task of a run, or a run in a list. */
export interface TaskSummary {
  metadata: ResourceMetadata;
  taskExternalId: string;
  workflowRunExternalId: string;
  displayName: string;
  status: RunStatusName;
  retryCount?: number;
  isEvicted?: boolean;
  numSpawnedChildren?: number;
  input?: unknown;
  output?: unknown;
  errorMessage?: string;
  workflowName?: string;
  createdAt?: string;
  startedAt?: string;
  finishedAt?: string;
  additionalMetadata?: Record<string, unknown>;
}

/** A run with its tasks, as the REST API gives it. */
export interface WorkflowRunDetails {
  run: {
    metadata: ResourceMetadata;
    status: RunStatusName;
    displayName: string;
    input?: unknown;
    output?: unknown;
    errorMessage?: string;
    additionalMetadata?: Record<string, unknown>;
    createdAt?: string;
    startedAt?: string;
    finishedAt?: string;
  };
  tasks: TaskSummary[];
  taskEvents: { taskId: string; timestamp: string; eventType: string; message: string }[];
  shape: unknown[];
}

export interface TaskSummaryList {
  pagination: { current_page?: number; next_page?: number; num_pages?: number };
  rows: TaskSummary[];
}

/** A run as the engine's gRPC service gives it. */
export interface RunDetail {
  status: RunStatusName;
  /** Whether it has ended. */
  done: boolean;
  input: unknown;
  additionalMetadata: unknown;
  isEvicted: boolean;
  /** By the tasks' names. */
  taskRuns: Record<string, TaskRunDetail>;
}

export interface TaskRunDetail {
  externalId: string;
  readableId: string;
  status: RunStatusName;
  output: unknown;
  error: string | undefined;
  isEvicted: boolean;
}

export interface RunFilter {
  /** @default one hour ago */
  since?: Date | undefined;
  until?: Date | undefined;
  statuses?: RunStatusName[] | undefined;
  workflowNames?: string[] | undefined;
  additionalMetadata?: Record<string, string> | undefined;
}

/** Runs by their ids, or all that a filter finds. */
export interface RunSelection {
  ids?: string[] | undefined;
  filters?: RunFilter | undefined;
}

export interface ListRunsOptions extends RunFilter {
  offset?: number | undefined;
  limit?: number | undefined;
  workerId?: string | undefined;
  /** Tasks instead of runs. @default false */
  onlyTasks?: boolean | undefined;
  parentTaskRunExternalId?: string | undefined;
  /** Whether inputs and outputs come along. @default true */
  includePayloads?: boolean | undefined;
}
