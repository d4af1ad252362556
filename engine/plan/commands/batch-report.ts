import type { BatchReportCommand, BatchReportItem } from './report-command.ts';
import { cancelRow } from '../lifecycle/interrupt.ts';
import type { Plan } from '../state/plan.ts';
import { planCompleted, planFailed, planStarted, runningRow } from './report.ts';

/**
 * What a worker says of a batch's members, each for itself. SDKs name the batch and no attempts: a member that has left
 * the batch, to another worker or another attempt, is fenced by that name.
 */
export function planBatchReport(plan: Plan, command: BatchReportCommand): void {
  for (const item of command.items) {
    const attempt = attemptOf(plan, command.batchId, item);
    const ref = { taskId: item.taskId, attempt, tenantId: command.tenantId };
    const row = runningRow(plan, ref);
    if (row < 0) continue;
    switch (item.event) {
      case 'started':
        planStarted(plan, { kind: 'started', ...ref });
        break;
      case 'completed':
        planCompleted(plan, {
          kind: 'completed',
          ...ref,
          output: item.output,
          ...(item.evaluated === undefined ? {} : { evaluated: item.evaluated }),
        });
        break;
      case 'failed':
        planFailed(plan, {
          kind: 'failed',
          ...ref,
          error: item.error,
          mayRetry: item.mayRetry,
          retryAfterMs: item.retryAfterMs ?? null,
        });
        break;
      case 'cancelled':
        cancelRow(plan, row, 'its batch was cancelled by its own task');
        break;
    }
  }
}

/** The attempt that a report means; -1 for one that is over. */
function attemptOf(plan: Plan, batchId: string | null, item: BatchReportItem): number {
  const { tasks, batches } = plan.state;
  if (batchId === null) return item.attempt ?? 0;
  const row = tasks.find(item.taskId);
  if (row < 0 || batches.ofRow.get(row)?.id !== batchId) return -1;
  return item.attempt ?? tasks.attempt[row] ?? -1;
}
