import { HatchetError } from '../../base/errors.ts';
import { LiveState } from '../../model/task/live-state.ts';
import type { Plan } from '../state/plan.ts';
import { hear } from '../queue/blocked-worker.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** @throws HatchetError UNKNOWN_RUN */
export function runningTask(plan: Plan, tenantId: TenantId, taskId: string): TaskRow {
  const { state } = plan;
  const row = state.tasks.find(taskId);
  if (
    row === undefined ||
    state.tasks.state[row] !== LiveState.Running ||
    state.stepOf(row).version.tenantId !== tenantId
  ) {
    throw new HatchetError('UNKNOWN_RUN', `no running task ${taskId}`, {
      remedy: 'Call this from inside a task that is still running.',
    });
  }
  hear(plan, state.workerOf(row));
  return row;
}
