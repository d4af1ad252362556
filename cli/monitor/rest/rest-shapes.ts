/** What the REST API of the contract answers, as far as it is read here. Our engine and a Hatchet cluster leave out different fields. */
export interface Resource {
  id: string;
  createdAt: string;
  updatedAt?: string;
}

type Status = 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';

/** Bytes of what was too much for an answer. Of our engine alone. */
export interface LeftOut {
  input?: number;
  output?: number;
  errorMessage?: number;
  additionalMetadata?: number;
}

interface RunFields {
  metadata: Resource;
  status: Status;
  displayName: string;
  isEvicted?: boolean;
  workflowId?: string;
  workflowName?: string;
  /** As a cluster stores it: see `plainInput`. */
  input?: unknown;
  output?: unknown;
  /** Empty for none. */
  errorMessage?: string;
  additionalMetadata?: unknown;
  startedAt?: string;
  finishedAt?: string;
  parentTaskExternalId?: string;
  leftOut?: LeftOut;
}

export interface TaskShape extends RunFields {
  taskExternalId: string;
  workflowRunExternalId: string;
  actionId?: string;
  retryCount?: number;
  isDurable?: boolean;
}

/** A run in a list: a row of one task is that task. */
export interface RunShape extends TaskShape {
  /** Of a DAG: the tasks that there are by now. */
  children?: TaskShape[];
}

export interface TaskEventShape {
  /** Grows, though not in the order of the times. */
  id: number;
  taskId: string;
  timestamp: string;
  eventType: string;
  message?: string;
  errorMessage?: string;
  workerId?: string;
  taskDisplayName?: string;
  retryCount?: number;
}

export interface StepConfig {
  ReadableId?: string;
  Parents?: string[] | null;
  Retries?: number;
  Timeout?: string | null;
  ScheduleTimeout?: string | null;
  isDurable?: boolean;
}

/** What a workflow was registered with. Of a cluster alone. */
export interface WorkflowConfig {
  Name?: string;
  Tasks?: StepConfig[] | null;
  OnFailureTask?: StepConfig | null;
}

export interface RunDetailsShape {
  run: RunFields;
  tasks: TaskShape[];
  /** Of a run of several tasks; a cluster gives none for others. */
  taskEvents: TaskEventShape[];
  shape: { taskExternalId: string; stepId: string; childrenStepIds: string[] | null; taskName: string }[];
  workflowConfig?: WorkflowConfig;
}

export interface LogShape {
  createdAt: string;
  message: string;
  level?: string;
  retryCount?: number;
  taskDisplayName?: string;
}

export interface WorkflowShape {
  metadata: Resource;
  name: string;
  description?: string;
  isPaused?: boolean;
  versions?: { metadata: Resource }[];
}

export interface StepShape {
  metadata: Resource;
  readableId: string;
  timeout?: string;
  isDurable?: boolean;
  parents?: string[];
}

export interface VersionShape {
  metadata: Resource;
  defaultPriority?: number;
  inputJsonSchema?: unknown;
  scheduleTimeout?: string;
  triggers?: { events?: { event_key: string }[] };
  /** Of a cluster. */
  workflowConfig?: WorkflowConfig;
  /** Of our engine. */
  jobs?: { steps: StepShape[] }[];
}

export interface WorkerShape {
  metadata: Resource;
  name: string;
  status?: 'ACTIVE' | 'INACTIVE' | 'PAUSED';
  lastHeartbeatAt?: string;
  actions?: string[];
  slotConfig?: Record<string, { limit: number; available?: number }>;
  runtimeInfo?: { sdkVersion?: string; language?: string; runtimeExtra?: string };
}

export interface ConditionShape {
  kind: 'SLEEP' | 'USER_EVENT' | 'CHILD_WORKFLOW';
  sleepDurationMs?: number;
  eventKey?: string;
  workflowName?: string;
}

export interface LogEntryShape {
  nodeId: number;
  branchId: number;
  kind: 'RUN' | 'WAIT_FOR' | 'MEMO';
  /** Alternatives stand under `or`. */
  waitData?: (ConditionShape & { or?: ConditionShape[] })[];
  isSatisfied: boolean;
  satisfiedAt?: string;
  insertedAt: string;
  userMessage?: string;
}

export interface Rows<Row> {
  rows?: Row[];
}
