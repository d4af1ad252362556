import { HatchetError } from '../../base/errors.ts';
import type { DurableSender } from '../../model/durable/durable-operation.ts';
import { LiveState } from '../../model/task/live-state.ts';
import type { Plan } from '../state/plan.ts';
import type { DurableTask } from './durable-index.ts';
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

/** A task that a message speaks of, with its log: the loader brings it in before the plan. */
export function loadedTask(plan: Plan, row: TaskRow): DurableTask {
  const task = plan.state.durable.task(row);
  if (task === undefined) throw new Error(`the log of durable task ${plan.state.tasks.id(row)} was not loaded`);
  return task;
}

/** The row of an unfinished durable task, wherever it is. @throws HatchetError UNKNOWN_RUN */
export function durableRow(plan: Plan, command: { tenantId: string; taskId: string }): TaskRow {
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
