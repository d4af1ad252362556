import type { Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** An invocation that was superseded is told to stop. */
export function dismissSender(
  plan: Plan,
  sender: { workerId: string | null; taskId: string; invocation: number },
): void {
  if (sender.workerId === null) return;
  plan.changes.effects.push({
    kind: 'durableDismissed',
    workerId: sender.workerId,
    taskId: sender.taskId,
    invocation: sender.invocation,
    reason: 'another invocation of the task has taken over, or it has ended',
  });
}

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
