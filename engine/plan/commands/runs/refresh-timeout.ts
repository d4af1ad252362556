import { runningTask } from '../../lifecycle/running-task.ts';
import { togetherWith } from '../../lifecycle/batch-together.ts';
import { journal, touch, type Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface RefreshTimeoutCommand {
  kind: 'refreshTimeout';
  tenantId: TenantId;
  taskId: string;
  incrementMs: number;
}
export interface RefreshTimeoutReply {
  timeoutAtUs: number;
}

export const refreshTimeout: Kind<RefreshTimeoutCommand, RefreshTimeoutReply> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: refresh,
};

function refresh(plan: Plan, command: RefreshTimeoutCommand): RefreshTimeoutReply {
  const { state } = plan;
  const row = runningTask(plan, command.tenantId, command.taskId);
  const timeoutAtUs = state.deadlines.dueUs(row) + command.incrementMs * 1000;
  for (const member of togetherWith(plan, row)) {
    state.deadlines.set(member, timeoutAtUs, state.undo);
    touch(plan, member);
    journal(plan, member, 'TIMEOUT_REFRESHED');
  }
  return { timeoutAtUs };
}
