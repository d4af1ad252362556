import { LiveFlag } from '../../../model/task/live-state.ts';
import { runningRow, type AttemptRef } from '../../lifecycle/fence-late-reports.ts';
import { interrupt } from '../../lifecycle/interrupt-attempt.ts';
import { hasFlag, setFlag, type Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** Sent, perhaps, but no sign of a start since the worker's stream came back. */
export interface ReassignUnstartedCommand extends AttemptRef {
  kind: 'reassignUnstarted';
  tenantId: TenantId;
}

export const reassignUnstarted: Kind<ReassignUnstartedCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: takeElsewhere,
};

function takeElsewhere(plan: Plan, command: ReassignUnstartedCommand): void {
  const row = runningRow(plan, command);
  if (row === undefined || hasFlag(plan, row, LiveFlag.Started)) return;
  interrupt(plan, row);
  setFlag(plan, row, LiveFlag.Reassign);
}
