import { HatchetError } from '../../../base/errors.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';
import type { WorkflowState } from '../../queue/placement.ts';
import type { Plan } from '../../state/plan.ts';

/** A workflow of a tenant that is not deleted. @throws HatchetError UNKNOWN_WORKFLOW */
export function ownWorkflow({ state }: Plan, tenantId: TenantId, workflowId: string): WorkflowState {
  if (state.latest.ofWorkflow(workflowId)?.tenantId !== tenantId)
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${workflowId}`, { remedy: 'Check the id.' });
  return state.workflowState(workflowId);
}

/** What a workflow is, whatever its version. Where its pause ends, what that held up goes on. */
export function changeWorkflow(
  { state, changes, nowUs }: Plan,
  workflow: WorkflowState,
  to: Pick<WorkflowState, 'paused' | 'pauseRules' | 'deleted'>,
): void {
  const { workflowId } = workflow;
  const resumes = workflow.paused && !to.paused;
  state.undo.assign<WorkflowState>(workflow, to);
  if (resumes) state.undo.set(workflow, 'resumedUs', nowUs);
  const { resumedUs } = workflow;
  changes.workflowUpdates.push({
    id: workflowId,
    paused: to.paused,
    ...to.pauseRules,
    resumedUs: resumedUs === 0 ? null : resumedUs - state.lostUs,
    deleted: to.deleted,
  });
  if (!resumes) return;
  for (const { version, queue } of state.steps) {
    if (version.workflowId !== workflowId) continue;
    state.unsettled.noteQueue(queue);
    for (const worker of queue.workers) state.unsettled.noteRoom(worker);
  }
}
