import { LiveFlag } from '../../../model/task/live-state.ts';
import { runningRow, type AttemptRef } from '../../lifecycle/fence-late-reports.ts';
import { reassign } from '../../lifecycle/reassign-lost-task.ts';
import { hasFlag, journal, type Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** The stream was gone before the attempt could be written to it. */
export interface ReturnUnsentCommand extends AttemptRef {
  kind: 'returnUnsent';
  tenantId: TenantId;
}

export const returnUnsent: Kind<ReturnUnsentCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: takeBack,
};

/** Nothing was sent, so the worker has nothing to be told. */
function takeBack(plan: Plan, command: ReturnUnsentCommand): void {
  const row = runningRow(plan, command);
  if (row === undefined || hasFlag(plan, row, LiveFlag.Started)) return;
  journal(plan, row, 'COULD_NOT_SEND_TO_WORKER');
  reassign(plan, row, "the worker's stream was gone");
}
