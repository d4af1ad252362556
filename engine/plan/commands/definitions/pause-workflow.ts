import { HatchetError } from '../../../base/errors.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** A paused workflow's queued tasks wait; its running ones finish. */
export interface PauseWorkflowCommand {
  kind: 'pauseWorkflow';
  tenantId: TenantId;
  workflowId: string;
  paused: boolean;
}

export const pauseWorkflow: Kind<PauseWorkflowCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: pause,
};

function pause(plan: Plan, command: PauseWorkflowCommand): void {
  const { state, changes } = plan;
  const steps = state.steps.filter(
    ({ version }) => version.workflowId === command.workflowId && version.tenantId === command.tenantId,
  );
  if (steps.length === 0)
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${command.workflowId}`, {
      remedy: 'Check the id.',
    });
  const workflow = state.workflowState(command.workflowId);
  if (workflow.paused === command.paused) return;
  state.undo.set(workflow, 'paused', command.paused);
  changes.workflowUpdates.push({ id: command.workflowId, paused: command.paused });
  if (command.paused) return;
  for (const { queue } of steps) {
    state.unsettled.noteQueue(queue);
    for (const worker of queue.workers) state.unsettled.noteRoom(worker);
  }
}
