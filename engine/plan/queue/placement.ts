import type { DesiredLabel } from '../../model/definition.ts';
import type { PauseRules } from '../../model/pause-rules.ts';
import type { RateLimitDemand } from '../../model/task/demands.ts';
import type { PlannerWorker, SlotUse } from './planner-worker.ts';

/** The worker of the run's first task, or the one that the caller asked for. */
export interface Sticky {
  readonly workerId: string;
  /** Under HARD: no other may have the task. Under SOFT it is preferred, whatever the labels weigh, as long as it has room. */
  readonly hard: boolean;
}

/** A registered workflow, whatever its version. */
export interface WorkflowState {
  readonly workflowId: string;
  /** Its queued tasks wait. */
  paused: boolean;
  /** What a pause does beside; of no meaning without one. */
  pauseRules: PauseRules;
  /** When its last pause ended; 0 for never. Tasks that waited through it have their schedule timeout from then on. */
  resumedUs: number;
  /** Nothing new starts by it; its unfinished runs go on. */
  deleted: boolean;
}

/** What decides which workers can take a task. */
export interface Placement {
  readonly signature: string;
  /** What it costs, of which workflow. */
  readonly costGroup: string;
  readonly workflow: WorkflowState;
  readonly cost: readonly SlotUse[];
  readonly labels: readonly DesiredLabel[];
  readonly sticky: Sticky | null;
}

/** All that narrows where and when a task of an action may start. Those that agree in it stand in one line. */
export interface Constraint {
  readonly signature: string;
  readonly placement: Placement;
  /** Asked in this order. */
  readonly rateLimits: readonly RateLimitDemand[];
}

/**
 * Where the index of lines that wait for a worker puts one: under each of these alone every worker that suits it looks.
 * Labels whose value is not fixed are found by their key.
 */
export function placesInIndex({ labels, sticky }: Placement): string[] {
  if (sticky?.hard === true) return [workerPlace(sticky.workerId)];
  const required = labels.filter((label) => label.required);
  const equal = required
    .filter((label) => label.comparator === 'EQUAL')
    .map((label) => labelPlace(label.key, label.value));
  if (equal.length > 0) return equal;
  return required.length > 0 ? required.map((label) => keyPlace(label.key)) : [anyPlace];
}

/** Where a worker finds the lines that it may suit. */
export function* placesOf(worker: PlannerWorker): Generator<string> {
  yield anyPlace;
  yield workerPlace(worker.id);
  for (const [key, value] of worker.labels) {
    yield labelPlace(key, value);
    yield keyPlace(key);
  }
}

const anyPlace = '';

function workerPlace(workerId: string): string {
  return `worker ${workerId}`;
}

function labelPlace(key: string, value: string | number): string {
  return `label ${JSON.stringify([key, value])}`;
}

function keyPlace(key: string): string {
  return `key ${key}`;
}
