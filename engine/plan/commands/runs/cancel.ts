import { LiveFlag } from '../../../model/task/live-state.ts';
import { cancelRow } from '../../lifecycle/cancel-task.ts';
import { hasFlag, type Plan } from '../../state/plan.ts';
import { hasNoPayloads, inParts, makesNoRows, needsNothing, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface CancelCommand {
  kind: 'cancel';
  tenantId: TenantId;
  /** Runs or tasks; unknown and ended ones are passed over. */
  ids: readonly string[];
}
export interface CancelReply {
  cancelled: readonly string[];
}

export const cancel: Kind<CancelCommand, CancelReply> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: ({ ids }) => Math.max(1, ids.length),
  split: {
    into: (command) => inParts(command.ids, () => 1).map((ids) => ({ ...command, ids })),
    join: (replies) => ({ cancelled: replies.flatMap(({ cancelled }) => cancelled) }),
  },
  plan: cancelAll,
};

function cancelAll(plan: Plan, command: CancelCommand): CancelReply {
  const { state } = plan;
  const cancelled: string[] = [];
  for (const id of command.ids) {
    const runRow = state.runsById.get(id);
    const taskIds = runRow === undefined ? [id] : (state.runs[runRow]?.taskIds ?? []);
    let any = false;
    for (const taskId of taskIds) any = cancelTask(plan, command.tenantId, taskId) || any;
    if (any) cancelled.push(id);
  }
  return { cancelled };
}

function cancelTask(plan: Plan, tenantId: TenantId, taskId: string): boolean {
  const { state } = plan;
  const row = state.tasks.find(taskId);
  if (row === undefined || state.stepOf(row).version.tenantId !== tenantId || hasFlag(plan, row, LiveFlag.Ended))
    return false;
  cancelRow(plan, row);
  return true;
}
