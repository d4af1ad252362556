import type { ConcurrencyLimitStrategy, RateLimitDuration } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import type { ConditionSettings } from './conditions.ts';
import type { EventFor } from './event.ts';
import type { Duration } from '../duration.ts';
import type { EnumInput } from '../enum-value.ts';
import type { DesiredWorkerLabels, Priority } from '../run/run-options.ts';

/** How many runs of a key go at once, and what happens to the others. */
export interface Concurrency {
  /** CEL over `input` and `additional_metadata`; it gives the key, a string. */
  expression: string;
  /** Runs of a key at once: a positive number, or CEL that gives one. @default 1 */
  maxRuns?: number | string | undefined;
  /** A value or its name. @default 'CANCEL_IN_PROGRESS' */
  limitStrategy?: EnumInput<typeof ConcurrencyLimitStrategy> | undefined;
  /** Names a strategy that workflows share; needed with `isTenantScoped`. */
  name?: string | undefined;
  /** Whether all workflows that declare the name share it. @default false */
  isTenantScoped?: boolean | undefined;
}

export interface RateLimit {
  /** Units that one attempt takes: a number, or CEL that gives one. */
  units: number | string;
  /** Name of a limit that was put before. */
  staticKey?: string | undefined;
  /** CEL that gives the limit's name. */
  dynamicKey?: string | undefined;
  /** With a dynamic key: the limit, a number or CEL. */
  limit?: number | string | undefined;
  /** A value or its name. @default 'MINUTE' */
  duration?: EnumInput<typeof RateLimitDuration> | undefined;
  /** Same as `staticKey`, its old name. */
  key?: string | undefined;
}

export interface RetryBackoff {
  /** Seconds before retry n are `factor^n`; from 1 to 1000. @default no pause */
  factor?: number | undefined;
  /** Longest pause in seconds. @default 24 hours */
  maxSeconds?: number | undefined;
}

/** How the engine treats a task. */
export interface TaskSettings extends ConditionSettings {
  /** Time for one attempt; then it counts as failed. @default '60s' */
  executionTimeout?: Duration | undefined;
  /** Same as `executionTimeout`, its old name. */
  timeout?: Duration | undefined;
  /** Time to wait for a free worker; then the task is cancelled. @default '5m' */
  scheduleTimeout?: Duration | undefined;
  /** Attempts after the first. @default 0 */
  retries?: number | undefined;
  /** Pauses between attempts. @default none */
  backoff?: RetryBackoff | undefined;
  rateLimits?: readonly RateLimit[] | undefined;
  /** Labels of the workers that shall run it. */
  desiredWorkerLabels?: DesiredWorkerLabels | undefined;
  concurrency?: Concurrency | readonly Concurrency[] | undefined;
  /** Slots that it takes on its worker. @default 1 */
  slotCost?: number | undefined;
}

/** How a batch task gathers its runs: each batch goes to the function as one call. */
export interface BatchTaskConfig {
  /** Runs of a batch at most; a full one goes at once. */
  maxSize: number;
  /** A batch that is not full goes once one of its runs has waited for so long. @default it waits until it is full */
  maxInterval?: Duration | undefined;
  /** CEL over `input` and `additional_metadata` that gives a string: only runs of one key share a batch. @default all do */
  groupKey?: string | undefined;
  /** Batches of one key that run at once. @default no limit */
  groupMaxRuns?: number | undefined;
  /** Whether the function gives one output for all runs, instead of one by each run's id. @default false */
  broadcastOutput?: boolean | undefined;
}

/** Defaults for the tasks of a workflow. */
export interface TaskDefaults extends Pick<
  TaskSettings,
  'executionTimeout' | 'scheduleTimeout' | 'retries' | 'backoff' | 'rateLimits' | 'concurrency'
> {
  /** Labels of the workers that shall run the tasks. */
  workerLabels?: DesiredWorkerLabels | undefined;
}

/** Keeps a workflow's tasks on one worker: `soft` prefers it, `hard` insists. */
export const StickyStrategy = { SOFT: 'soft', HARD: 'hard' } as const;
export type StickyStrategy = (typeof StickyStrategy)[keyof typeof StickyStrategy];
export type StickyStrategyInput = StickyStrategy | 'SOFT' | 'HARD' | 0 | 1;

/** At most one run per key: for a time, or until the run has ended. Milliseconds. */
export type IdempotencyConfig =
  | { expression: string; strategy: 'ttl'; ttlMs: number }
  | { expression: string; strategy: 'status'; fallbackTtlMs: number };

/** A filter that comes with the workflow: an event of that scope runs it where the CEL is true. */
export interface DefaultFilter {
  expression: string;
  scope: string;
  payload?: object | undefined;
}

/** How the engine treats a workflow. */
export interface WorkflowSettings<Input = unknown> {
  description?: string | undefined;
  version?: string | undefined;
  sticky?: StickyStrategyInput | undefined;
  /** Same as `onEvents` and `onCrons`. */
  on?:
    | {
        cron?: string | string[] | undefined;
        event?: string | EventFor<Input> | (string | EventFor<Input>)[] | undefined;
      }
    | undefined;
  /** Cron expressions at which it runs. */
  onCrons?: readonly string[] | undefined;
  /** Event keys that run it: texts, or what `hatchet.event` made, whose payload must be an input. */
  onEvents?: readonly (string | EventFor<Input>)[] | undefined;
  concurrency?: Concurrency | readonly Concurrency[] | undefined;
  /** @default Priority.LOW */
  defaultPriority?: Priority | undefined;
  defaultFilters?: readonly DefaultFilter[] | undefined;
  idempotency?: IdempotencyConfig | undefined;
}
