import { cancelRow } from '../../lifecycle/cancel-task.ts';
import { completeAttempt, failAttempt, startAttempt } from '../../lifecycle/attempt.ts';
import { runningRow } from '../../lifecycle/fence-late-reports.ts';
import { outputExpressions } from '../../conditions/output-expressions.ts';
import type { Plan } from '../../state/plan.ts';
import type { Facts } from '../loaded-facts.ts';
import { inParts, makesNoRows, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** What a worker reports of several attempts at once: of members of a batch, or of any. */
export interface BatchReportCommand {
  kind: 'batchReport';
  tenantId: TenantId;
  /** Null where the report names none: then the items' attempts count. */
  batchId: string | null;
  items: readonly BatchReportItem[];
}
export type BatchReportItem = {
  taskId: string;
  /** Null for the one that runs in the batch. */
  attempt: number | null;
} & (
  | { event: 'started' | 'cancelled' }
  | {
      event: 'completed';
      /** JSON. */
      output: string;
    }
  | { event: 'failed'; error: string; mayRetry: boolean; retryAfterMs?: number | null }
);

export const batchReport: Kind<BatchReportCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ items }) => ({
    expressions: (state) =>
      outputExpressions(
        state,
        items.filter((item) => item.event === 'completed'),
      ),
  }),
  startsRuns: startsNoRuns,
  payloads({ items }, visit) {
    for (const item of items) {
      if (item.event === 'completed') visit(item.output);
      else if (item.event === 'failed') visit(item.error);
    }
  },
  weight: ({ items }) => Math.max(1, items.length),
  split: {
    into: (command) => inParts(command.items, () => 1).map((items) => ({ ...command, items })),
    join: () => undefined,
  },
  plan: report,
};

/**
 * What a worker says of a batch's members, each for itself. SDKs name the batch and no attempts: a member that has left
 * the batch, to another worker or another attempt, is fenced by that name.
 */
function report(plan: Plan, command: BatchReportCommand, facts: Facts): void {
  for (const item of command.items) {
    const attempt = attemptOf(plan, command.batchId, item);
    if (attempt === undefined) continue;
    const row = runningRow(plan, { taskId: item.taskId, attempt, tenantId: command.tenantId });
    if (row === undefined) continue;
    switch (item.event) {
      case 'started':
        startAttempt(plan, row);
        break;
      case 'completed':
        completeAttempt(plan, row, item.output, facts.evaluated.get(item.taskId));
        break;
      case 'failed':
        failAttempt(plan, row, item);
        break;
      case 'cancelled':
        cancelRow(plan, row, 'its batch was cancelled by its own task');
        break;
    }
  }
}

/** The attempt that a report means; undefined for one that is over. */
function attemptOf(plan: Plan, batchId: string | null, item: BatchReportItem): number | undefined {
  const { tasks, batches } = plan.state;
  if (batchId === null) return item.attempt ?? 0;
  const row = tasks.find(item.taskId);
  if (row === undefined || batches.ofRow.get(row)?.id !== batchId) return undefined;
  return item.attempt ?? tasks.attempt[row];
}
