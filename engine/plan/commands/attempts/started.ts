import { startAttempt } from '../../lifecycle/attempt.ts';
import { runningRow, type AttemptRef } from '../../lifecycle/fence-late-reports.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface StartedCommand extends AttemptRef {
  kind: 'started';
  tenantId: TenantId;
}

export const started: Kind<StartedCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan(plan, command) {
    const row = runningRow(plan, command);
    if (row !== undefined) startAttempt(plan, row);
  },
};
