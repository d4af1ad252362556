import { completeAttempt } from '../../lifecycle/attempt.ts';
import { runningRow, type AttemptRef } from '../../lifecycle/fence-late-reports.ts';
import { outputExpressions } from '../../conditions/output-expressions.ts';
import { makesNoRows, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface CompletedCommand extends AttemptRef {
  kind: 'completed';
  tenantId: TenantId;
  /** JSON. */
  output: string;
}

export const completed: Kind<CompletedCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: (command) => ({ expressions: (state) => outputExpressions(state, [command]) }),
  startsRuns: startsNoRuns,
  payloads: ({ output }, visit) => visit(output),
  weight: weighsOne,
  split: undefined,
  plan(plan, command, facts) {
    const row = runningRow(plan, command);
    if (row !== undefined) completeAttempt(plan, row, command.output, facts.evaluated.get(command.taskId));
  },
};
