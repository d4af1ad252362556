import type { ConcurrencyStrategy, DesiredLabel, RateLimitWindow } from '../definition.ts';

/**
 * What one task asks of the queue beyond a slot, with every expression evaluated: at its trigger, and again at a replay.
 * Stored as JSON in `live.demands`; null for a task that asks nothing.
 */
export interface Demands {
  /** The workflow's links, then the step's: the order in which they were declared. */
  concurrency: ConcurrencyDemand[];
  rateLimits: RateLimitDemand[];
  /** The step's labels with those of the run laid over them. */
  labels: DesiredLabel[];
  /** The worker that the caller asked for, under the workflow's sticky strategy. */
  desiredWorkerId: string | null;
  /** Absent unless the step gathers its tasks in batches. */
  batch?: BatchDemand;
}

export interface BatchDemand {
  /** Tasks of the step with one key share batches; '' where the step has no key expression. */
  key: string;
  /** Of what the trigger brings to the batch's message. */
  bytes: number;
}

/** What a trigger asks of its run's workers, beyond what the definition does. Stored as JSON in `run.placement`. */
export interface RunPlacement {
  /** Laid over the steps' labels, by key. */
  labels: readonly DesiredLabel[];
  /** Under a sticky strategy alone. */
  desiredWorkerId: string | null;
}

export interface ConcurrencyDemand {
  /** `run`: one place for the whole run, held until it ends. */
  level: 'run' | 'task';
  /** Which strategy, by `strategyId()`: links with one id and one key share their places. */
  strategyId: string;
  strategy: ConcurrencyStrategy;
  key: string;
  /** Places of the key from this task on. */
  maxRuns: number;
}

export interface RateLimitDemand {
  key: string;
  units: number;
  /** Null for a static limit: what was put under the key. */
  limit: number | null;
  window: RateLimitWindow;
}
