import { LiveState } from '../../model/task/live-state.ts';
import type { Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface AttemptRef {
  taskId: string;
  attempt: number;
}

/**
 * The row of a running attempt. A report from any other attempt changes nothing: the task has ended,
 * was reassigned or was cancelled since, and the attempt that counts is another one.
 */
export function runningRow({ state }: Plan, ref: AttemptRef & { tenantId: TenantId }): TaskRow | undefined {
  const row = state.tasks.find(ref.taskId);
  if (row === undefined || state.tasks.state[row] !== LiveState.Running || state.tasks.attempt[row] !== ref.attempt)
    return undefined;
  return state.stepOf(row).version.tenantId === ref.tenantId ? row : undefined;
}
