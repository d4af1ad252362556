import { LiveState } from '../../../model/task/live-state.ts';
import type { AttemptRef } from '../../lifecycle/fence-late-reports.ts';
import { afterInterrupt } from '../../lifecycle/reassign-lost-task.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** The worker was told that its attempt is over (or is past telling). */
export interface CancelSentCommand extends AttemptRef {
  kind: 'cancelSent';
  tenantId: TenantId;
}

export const cancelSent: Kind<CancelSentCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: goOn,
};

/** The worker knows that the attempt is over: the task is gone, retried, or on its way to another worker. */
function goOn(plan: Plan, command: CancelSentCommand): void {
  const { state } = plan;
  const row = state.tasks.find(command.taskId);
  if (
    row === undefined ||
    state.stepOf(row).version.tenantId !== command.tenantId ||
    state.tasks.state[row] !== LiveState.Cancelling ||
    state.tasks.attempt[row] !== command.attempt
  )
    return;
  afterInterrupt(plan, row);
}
