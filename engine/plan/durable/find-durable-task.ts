import { HatchetError } from '../../base/errors.ts';
import type { Plan } from '../state/plan.ts';
import type { DurableTask } from './durable-index.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** A task that a message speaks of, with its log: the loader brings it in before the plan. */
export function loadedTask(plan: Plan, row: TaskRow): DurableTask {
  const task = plan.state.durable.task(row);
  if (task === undefined) throw new Error(`the log of durable task ${plan.state.tasks.id(row)} was not loaded`);
  return task;
}

/** The row of an unfinished durable task, wherever it is. @throws HatchetError UNKNOWN_RUN */
export function durableRow(plan: Plan, command: { tenantId: TenantId; taskId: string }): TaskRow {
  const { state } = plan;
  const row = state.tasks.find(command.taskId);
  if (
    row === undefined ||
    state.isEnded(row) ||
    state.stepOf(row).version.tenantId !== command.tenantId ||
    !state.stepOf(row).definition.durable
  ) {
    throw new HatchetError('UNKNOWN_RUN', `there is no unfinished durable task ${command.taskId}`, {
      remedy: 'Check the id; `hatchet runs list` shows the newest runs.',
    });
  }
  return row;
}
