import { HatchetError } from '../../../base/errors.ts';
import { waitingPause, type PauseRules } from '../../../model/pause-rules.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** A paused workflow's queued tasks wait; its running ones finish. */
export interface PauseWorkflowCommand {
  kind: 'pauseWorkflow';
  tenantId: TenantId;
  workflowId: string;
  paused: boolean;
  /** Of the pause; by default everything waits. Those of a second pause replace the first one's. */
  rules?: PauseRules;
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
  const rules = (command.paused ? command.rules : undefined) ?? waitingPause;
  if (workflow.paused === command.paused && sameRules(workflow.pauseRules, rules)) return;
  const resumes = workflow.paused && !command.paused;
  state.undo.set(workflow, 'paused', command.paused);
  state.undo.set(workflow, 'pauseRules', rules);
  if (resumes) state.undo.set(workflow, 'resumedUs', plan.nowUs);
  const { resumedUs } = workflow;
  changes.workflowUpdates.push({
    id: command.workflowId,
    paused: command.paused,
    ...rules,
    resumedUs: resumedUs === 0 ? null : resumedUs - state.lostUs,
  });
  if (!resumes) return;
  for (const { queue } of steps) {
    state.unsettled.noteQueue(queue);
    for (const worker of queue.workers) state.unsettled.noteRoom(worker);
  }
}

function sameRules(one: PauseRules, other: PauseRules): boolean {
  return (
    one.dropsCrons === other.dropsCrons &&
    one.dropsSchedules === other.dropsSchedules &&
    one.queueTtlMs === other.queueTtlMs
  );
}
