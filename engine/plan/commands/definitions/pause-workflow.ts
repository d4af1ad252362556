import { waitingPause, type PauseRules } from '../../../model/pause-rules.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import { changeWorkflow, ownWorkflow } from './change-workflow.ts';
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
  const workflow = ownWorkflow(plan, command.tenantId, command.workflowId);
  const rules = (command.paused ? command.rules : undefined) ?? waitingPause;
  if (workflow.paused === command.paused && sameRules(workflow.pauseRules, rules)) return;
  changeWorkflow(plan, workflow, { paused: command.paused, pauseRules: rules, deleted: false });
}

function sameRules(one: PauseRules, other: PauseRules): boolean {
  return (
    one.dropsCrons === other.dropsCrons &&
    one.dropsSchedules === other.dropsSchedules &&
    one.queueTtlMs === other.queueTtlMs
  );
}
