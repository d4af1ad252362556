import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { maxUnanswered } from '../../model/limits.ts';
import { hasFlag, type Plan } from '../state/plan.ts';
import type { PlannerWorker } from './planner-worker.ts';

/** The worker has left a task unanswered: it takes nothing until it answers. */
export function silence({ state }: Plan, worker: PlannerWorker): void {
  state.undo.set(worker, 'isSilent', true);
}

/** The worker has said something of a task, or has connected anew. */
export function hear({ state }: Plan, worker: PlannerWorker | undefined): void {
  if (worker?.isSilent !== true) return;
  state.undo.set(worker, 'isSilent', false);
  state.unsettled.noteRoom(worker);
}

/**
 * Which of a worker's tasks stay with it although it has not said that it has them. Those that enough workers have left
 * unanswered; and with an SDK that begins tasks unsaid, the first that was sent to it, with its batch, unless it runs
 * another: that one is what blocks it, by all that is known.
 */
export function stayingWith(plan: Plan, worker: PlannerWorker): (row: number) => boolean {
  const { tasks, batches } = plan.state;
  const first = worker.beginsUnsaid ? unsaid(plan, worker) : -1;
  const batch = batches.ofRow.get(first);
  return (row) =>
    (tasks.unanswered[row] ?? 0) >= maxUnanswered ||
    row === first ||
    (batch !== undefined && batches.ofRow.get(row) === batch);
}

/** The first task on a worker that runs none that it has told of, or -1. */
function unsaid(plan: Plan, worker: PlannerWorker): number {
  let first = -1;
  for (const row of worker.tasks) {
    if (plan.state.tasks.state[row] !== LiveState.Running) continue;
    if (hasFlag(plan, row, LiveFlag.Started)) return -1;
    if (first < 0) first = row;
  }
  return first;
}
