/** A registered workflow as the planner needs it; stored as JSON in `workflow_version.definition`. */
export interface WorkflowDefinition {
  name: string;
  description: string;
  /** 1–3. */
  defaultPriority: number;
  /** JSON Schema of the input, as text, when the registration carried one. */
  inputJsonSchema: string | null;
  /** The on-failure step, where there is one, is the last. */
  steps: StepDefinition[];
  /** Index of the step that runs when another has failed for good. */
  onFailure: number | null;
  /** Every one of them must admit a run; a place is held until the run ends. */
  concurrency: ConcurrencyLink[];
  /** Keeps a run's tasks on the worker of its first one: if it can (SOFT), or at any price (HARD). */
  sticky: StickyStrategy | null;
  /** Events that start a run; `*` stands for any run of characters. */
  eventKeys: string[];
  /** Cron expressions of five or six fields. */
  crons: string[];
  /** JSON; the input of runs that a cron starts. */
  cronInput: string | null;
  /** Made for the workflow when it is registered first. */
  filters: DefaultFilter[];
  idempotency: IdempotencyRule | null;
}

export interface StepDefinition {
  name: string;
  /** Lower-case, `workflow:step`. */
  action: string;
  /** Indices of earlier steps. */
  parents: number[];
  retries: number;
  backoffFactor: number | null;
  backoffMaxSeconds: number | null;
  executionTimeoutMs: number;
  scheduleTimeoutMs: number;
  /** Units of each slot type that a run of the step takes. */
  slots: Record<string, number>;
  durable: boolean;
  /** Judged once the parents are done. */
  conditions: Condition[];
  /** Judged after the workflow's, in one pass with them. */
  concurrency: ConcurrencyLink[];
  rateLimits: RateLimitUse[];
  /** What the step asks of a worker's labels. */
  labels: DesiredLabel[];
  batch: BatchRule | null;
}

export type StickyStrategy = 'SOFT' | 'HARD';

export const concurrencyStrategies = [
  'CANCEL_IN_PROGRESS',
  'GROUP_ROUND_ROBIN',
  'CANCEL_NEWEST',
  'CANCEL_QUEUED_EXCEPT_NEWEST',
  'CANCEL_QUEUED_EXCEPT_OLDEST',
] as const;
export type ConcurrencyStrategy = (typeof concurrencyStrategies)[number];

export interface ConcurrencyLink {
  /** CEL over input, additional_metadata and workflow_run_id; gives the key, a string. */
  expression: string;
  strategy: ConcurrencyStrategy;
  /** Places of each key. */
  maxRuns: number;
  /** CEL that gives the key's places instead, from its most recently created task. */
  maxRunsExpression: string | null;
  /** A name shared by every workflow of the tenant that declares it; null for a strategy of this workflow alone. */
  sharedName: string | null;
}

export const conditionActions = ['CREATE', 'QUEUE', 'CANCEL', 'SKIP'] as const;
export type ConditionAction = (typeof conditionActions)[number];

interface ConditionBase {
  action: ConditionAction;
  /** Conditions of one action with one group are alternatives; groups are all needed. Numbered within the step. */
  group: number;
  /** CEL; empty for none. */
  expression: string;
  /** Under which the task finds what satisfied it. */
  dataKey: string;
}
export interface SleepCondition extends ConditionBase {
  kind: 'sleep';
  ms: number;
  /** As it was written. */
  duration: string;
}
export interface EventCondition extends ConditionBase {
  kind: 'event';
  eventKey: string;
  scope: string | null;
}
/** The expression is over `output`, that of the parent. */
export interface ParentCondition extends ConditionBase {
  kind: 'parent';
  /** Index of the step; one of the parents. */
  parent: number;
  /** What the expression gives for the output of a skipped parent. */
  whenSkipped: boolean;
}
export type Condition = SleepCondition | EventCondition | ParentCondition;

export const rateLimitWindows = ['SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'YEAR'] as const;
export type RateLimitWindow = (typeof rateLimitWindows)[number];

/** What one attempt takes of a rate limit. Without a key expression the limit is a static one, put by its key. */
export interface RateLimitUse {
  key: string;
  keyExpression: string | null;
  units: number;
  unitsExpression: string | null;
  /** Dynamic limits alone: CEL or a number as text. */
  limitExpression: string | null;
  /** Dynamic limits alone. */
  window: RateLimitWindow;
}

export const labelComparators = [
  'EQUAL',
  'NOT_EQUAL',
  'GREATER_THAN',
  'GREATER_THAN_OR_EQUAL',
  'LESS_THAN',
  'LESS_THAN_OR_EQUAL',
] as const;
export type LabelComparator = (typeof labelComparators)[number];

export interface DesiredLabel {
  key: string;
  value: string | number;
  comparator: LabelComparator;
  /** Excludes workers that do not meet it; otherwise those that do weigh more. */
  required: boolean;
  weight: number;
}

export interface BatchRule {
  maxSize: number;
  maxIntervalMs: number | null;
  /** CEL; null puts all tasks of the step together. */
  groupKey: string | null;
  /** Batches of one key that may run at once; null for no limit. */
  groupMaxRuns: number | null;
  /** The handler returns one value for every member. */
  broadcastOutput: boolean;
}

export interface DefaultFilter {
  expression: string;
  scope: string;
  /** JSON object. */
  payload: string;
}

export interface IdempotencyRule {
  /** CEL over input and additional_metadata; gives the key. */
  expression: string;
  /** From the last accepted run; with STATUS the fallback for a run that never ends. */
  ttlMs: number;
  method: 'TTL' | 'STATUS';
}

export const plainStep: Pick<StepDefinition, 'conditions' | 'concurrency' | 'rateLimits' | 'labels' | 'batch'> = {
  conditions: [],
  concurrency: [],
  rateLimits: [],
  labels: [],
  batch: null,
};
export const plainWorkflow: Pick<
  WorkflowDefinition,
  'onFailure' | 'concurrency' | 'sticky' | 'eventKeys' | 'crons' | 'cronInput' | 'filters' | 'idempotency'
> = {
  onFailure: null,
  concurrency: [],
  sticky: null,
  eventKeys: [],
  crons: [],
  cronInput: null,
  filters: [],
  idempotency: null,
};

/** A definition as an older engine may have stored it: what it did not know is as if it had not been asked for. */
export type StoredDefinition = Omit<WorkflowDefinition, keyof typeof plainWorkflow | 'steps'> &
  Partial<typeof plainWorkflow> & {
    steps: (Omit<StepDefinition, keyof typeof plainStep> & Partial<typeof plainStep>)[];
  };

export function completeDefinition(stored: StoredDefinition): WorkflowDefinition {
  return { ...plainWorkflow, ...stored, steps: stored.steps.map((step) => ({ ...plainStep, ...step })) };
}
