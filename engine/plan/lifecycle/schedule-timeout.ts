import { formatDuration } from '../../model/time/duration.ts';
import { RunStatus } from '../../model/task/status.ts';
import { journal, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';
import { startsAfresh } from '../timers/waiting-deadline.ts';
import { endTask } from './end-task.ts';

/** It was queued for longer than its schedule timeout. */
export function giveUpWaiting(plan: Plan, row: TaskRow): void {
  if (startsAfresh(plan, row)) return;
  const limit = formatDuration(plan.state.stepOf(row).definition.scheduleTimeoutMs);
  journal(plan, row, 'SCHEDULING_TIMED_OUT', `waited longer than its schedule timeout of ${limit}`);
  endTask(plan, row, { status: RunStatus.Cancelled, output: null, error: null });
}
