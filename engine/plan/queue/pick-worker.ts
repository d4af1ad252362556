import { meetsLabel } from '../../model/task/worker-labels.ts';
import type { PlannerWorker } from './planner-worker.ts';
import type { Placement, Sticky } from './placement.ts';

function isRuledOut(sticky: Sticky | null, workerId: string): boolean {
  return sticky?.hard === true && sticky.workerId !== workerId;
}

function isPreferred(sticky: Sticky | null, workerId: string): boolean {
  return sticky?.workerId === workerId;
}

/** Could the worker take such a task at some time? */
export function suits(worker: PlannerWorker, placement: Placement): boolean {
  if (isRuledOut(placement.sticky, worker.id)) return false;
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
    if (isPreferred(placement.sticky, worker.id)) return at;
    if (placement.labels.length === 0 && placement.sticky === null) return at;
    const weight = weightOf(worker, placement);
    if (weight > bestWeight) {
      best = at;
      bestWeight = weight;
    }
  }
  return best;
}
