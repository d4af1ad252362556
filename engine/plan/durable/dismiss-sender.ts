import type { Plan } from '../state/plan.ts';

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
