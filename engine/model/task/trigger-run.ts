import type { Demands } from './demands.ts';

/** A run as the planner makes it, prepared at the edge. */
export interface TriggerRun {
  runId: string;
  /** One per step, in order; the run's own id alone for a workflow of one step. */
  taskIds: readonly string[];
  versionId: string;
  /** JSON. */
  input: string;
  /** JSON object. */
  metadata: string;
  /** 1–3. */
  priority: number;
  parentTaskId: string | null;
  childIndex: number | null;
  childKey: string | null;
  /** JSON object: the payload of the filter that let an event start it. */
  filterPayload: string | null;
  /** JSON of RunPlacement; null for a run that asks for nothing of its own. */
  placement: string | null;
  /** The key that it claims, under its workflow's rule. */
  idempotency: { key: string; ttlUs: number; byStatus: boolean } | null;
  /** The caller chose the id, so it may exist already: the loader looks before the plan. */
  ownId: boolean;
  /** Of a child, the ids under which earlier attempts of its parent would have started it, newest first: it is one of those that are there, unless that failed or was cancelled. */
  earlierIds: readonly string[];
  /** One per step, or null where no step asks anything. An expression that failed makes its task FAILED from birth. */
  demands: readonly StepDemands[] | null;
}
/** `error` holds why an expression of the step could not be evaluated. */
export type StepDemands = { demands: Demands | null; error: null } | { demands: null; error: string };

/** The run that holds an idempotency key, where another asks for it. */
export interface Collision {
  existingRunId: string;
  collidingRunId: string;
}
