import type { Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** Tells a worker to drop an invocation. */
export function dismiss(plan: Plan, row: TaskRow, reason: string): void {
  const { state } = plan;
  const worker = state.workerOf(row);
  if (worker === undefined) return;
  plan.changes.effects.push({
    kind: 'durableDismissed',
    workerId: worker.id,
    taskId: state.tasks.id(row),
    invocation: state.tasks.invocation[row] ?? 0,
    reason,
  });
}
