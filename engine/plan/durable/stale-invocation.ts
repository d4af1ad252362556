import type { DurableSender } from '../../model/durable/durable-operation.ts';
import { LiveState } from '../../model/task/live-state.ts';
import type { Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** The row of the task, if the sender is the invocation that runs; a message from any other changes nothing. */
export function invocationRow(plan: Plan, sender: DurableSender): TaskRow | undefined {
  const { state } = plan;
  const row = state.tasks.find(sender.taskId);
  if (
    row === undefined ||
    state.tasks.state[row] !== LiveState.Running ||
    state.tasks.invocation[row] !== sender.invocation
  )
    return undefined;
  const { version, definition } = state.stepOf(row);
  if (version.tenantId !== sender.tenantId || !definition.durable) return undefined;
  return sender.workerId === null || state.workerOf(row)?.id === sender.workerId ? row : undefined;
}

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
