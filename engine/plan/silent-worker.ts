import type { Plan } from './plan.ts';
import type { PlannerWorker } from './planner-worker.ts';

/** The worker has left a task unanswered: it takes nothing until it answers. */
export function silence({ state }: Plan, worker: PlannerWorker): void {
  if (worker.isSilent) return;
  worker.isSilent = true;
  state.undo.record(() => {
    worker.isSilent = false;
  });
}

/** The worker has said something of a task, or has connected anew. */
export function hear({ state }: Plan, worker: PlannerWorker | undefined): void {
  if (worker?.isSilent !== true) return;
  worker.isSilent = false;
  state.undo.record(() => {
    worker.isSilent = true;
  });
  state.roomy.add(worker);
}
