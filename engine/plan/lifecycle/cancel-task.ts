import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { RunStatus } from '../../model/task/status.ts';
import { endTask } from './end-task.ts';
import { hasFlag, journal, type Plan } from '../state/plan.ts';
import { interrupt } from './interrupt-attempt.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** Cancels a task wherever it is: a queued one at once, a running one once its worker is told, whatever that reports meanwhile. One that has ended stays as it is. */
export function cancelRow(plan: Plan, row: TaskRow, message?: string): void {
  const { state } = plan;
  if (state.tasks.alive[row] !== 1 || hasFlag(plan, row, LiveFlag.Ended)) return;
  if (state.tasks.state[row] === LiveState.Running) interrupt(plan, row);
  journal(plan, row, 'CANCELLED', message);
  endTask(plan, row, { status: RunStatus.Cancelled, output: null, error: null });
}
