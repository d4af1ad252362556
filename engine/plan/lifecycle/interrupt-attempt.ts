import { LiveState } from '../../model/task/live-state.ts';
import { moveTo, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

/**
 * An attempt that the engine ends while its worker may be running it goes through CANCELLING:
 * its worker is told first, and only then does the task end in memory, or its next attempt start.
 * The slot stays taken until then.
 */
export function interrupt(plan: Plan, row: TaskRow): void {
  const { state, changes } = plan;
  const worker = state.workerOf(row);
  moveTo(plan, row, LiveState.Cancelling);
  state.deadlines.set(row, 0, state.undo);
  if (worker === undefined) throw new Error(`task ${state.tasks.id(row)} runs on no worker`);
  const step = state.stepOf(row);
  changes.effects.push({
    kind: 'tellCancel',
    tenantId: step.version.tenantId,
    workerId: worker.id,
    taskId: state.tasks.id(row),
    runId: state.runIdOf(row),
    stepName: step.definition.name,
    action: step.definition.action,
    attempt: state.tasks.attempt[row] ?? 0,
    invocation: step.definition.durable ? (state.tasks.invocation[row] ?? 0) : null,
  });
}
