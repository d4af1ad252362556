import { formatDuration } from '../../model/time/duration.ts';
import { RunStatus } from '../../model/task/status.ts';
import { journal, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';
import { judgeWait } from '../timers/waiting-deadline.ts';
import { endTask } from './end-task.ts';

/** It was queued for longer than its schedule timeout, or than a pause of its workflow allows. */
export function giveUpWaiting(plan: Plan, row: TaskRow): void {
  const verdict = judgeWait(plan, row);
  if (verdict === 'waits on') return;
  const { definition, placement } = plan.state.stepOf(row);
  if (verdict === 'timed out') {
    const limit = formatDuration(definition.scheduleTimeoutMs);
    journal(plan, row, 'SCHEDULING_TIMED_OUT', `waited longer than its schedule timeout of ${limit}`);
  } else {
    const limit = formatDuration(placement.workflow.pauseRules.queueTtlMs ?? 0);
    journal(plan, row, 'CANCELLED', `its workflow is paused, and keeps what is queued for ${limit}`);
  }
  endTask(plan, row, { status: RunStatus.Cancelled, output: null, error: null });
}
