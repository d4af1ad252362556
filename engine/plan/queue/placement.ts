import type { DesiredLabel } from '../../model/definition.ts';
import type { RateLimitDemand } from '../../model/task/demands.ts';
import { meetsLabel } from '../../model/task/labels.ts';
import type { PlannerWorker, SlotUse } from './planner-worker.ts';

/** A registered workflow, whatever its version. */
export interface WorkflowState {
  readonly workflowId: string;
  /** Its queued tasks wait. */
  paused: boolean;
}

/** What decides which workers can take a task. */
export interface Placement {
  readonly signature: string;
  /** What it costs, of which workflow. */
  readonly costGroup: string;
  readonly workflow: WorkflowState;
  readonly cost: readonly SlotUse[];
  readonly labels: readonly DesiredLabel[];
  /** The worker of the run's first task, or the one that the caller asked for. */
  readonly sticky: { workerId: string; hard: boolean } | null;
}

/** All that narrows where and when a task of an action may start. Those that agree in it stand in one line. */
export interface Constraint {
  readonly signature: string;
  readonly placement: Placement;
  /** Asked in this order. */
  readonly rateLimits: readonly RateLimitDemand[];
}

/** Could the worker take such a task at some time? */
export function suits(worker: PlannerWorker, placement: Placement): boolean {
  if (placement.sticky?.hard === true && placement.sticky.workerId !== worker.id) return false;
  return placement.labels.every((label) => !label.required || meetsLabel(worker.labels.get(label.key), label));
}

/** Can it now? */
export function canTake(worker: PlannerWorker, placement: Placement): boolean {
  return !placement.workflow.paused && worker.takes(placement.cost) && suits(worker, placement);
}

function weightOf(worker: PlannerWorker, placement: Placement): number {
  let sum = 0;
  for (const label of placement.labels) if (meetsLabel(worker.labels.get(label.key), label)) sum += label.weight;
  return sum;
}

/**
 * The worker for a task, from `turn` on so that ties rotate: the sticky one if it has room, else the one whose labels
 * weigh most, else the next.
 * @returns its place among the workers, if there is one
 */
export function pickWorker(workers: readonly PlannerWorker[], turn: number, placement: Placement): number | undefined {
  let best: number | undefined;
  let bestWeight = -Infinity;
  for (let i = 0; i < workers.length; i++) {
    const at = (turn + i) % workers.length;
    const worker = workers[at];
    if (worker === undefined || !canTake(worker, placement)) continue;
    if (placement.sticky?.workerId === worker.id) return at;
    if (placement.labels.length === 0 && placement.sticky === null) return at;
    const weight = weightOf(worker, placement);
    if (weight > bestWeight) {
      best = at;
      bestWeight = weight;
    }
  }
  return best;
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
