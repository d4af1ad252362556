import { failAttempt, type AttemptFailure } from '../../lifecycle/attempt.ts';
import { runningRow, type AttemptRef } from '../../lifecycle/fence-late-reports.ts';
import { makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface FailedCommand extends AttemptRef, AttemptFailure {
  kind: 'failed';
  tenantId: TenantId;
}

export const failed: Kind<FailedCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: ({ error }, visit) => visit(error),
  weight: weighsOne,
  split: undefined,
  plan(plan, command) {
    const row = runningRow(plan, command);
    if (row !== undefined) failAttempt(plan, row, command);
  },
};
