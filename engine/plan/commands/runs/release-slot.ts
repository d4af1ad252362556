import { LiveFlag } from '../../../model/task/live-state.ts';
import { runningTask } from '../../lifecycle/running-task.ts';
import { togetherWith } from '../../lifecycle/batch-together.ts';
import { hasFlag, journal, setFlag, type Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface ReleaseSlotCommand {
  kind: 'releaseSlot';
  tenantId: TenantId;
  taskId: string;
}

export const releaseSlot: Kind<ReleaseSlotCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: release,
};

function release(plan: Plan, command: ReleaseSlotCommand): void {
  const { state } = plan;
  const row = runningTask(plan, command.tenantId, command.taskId);
  if (hasFlag(plan, row, LiveFlag.SlotReleased)) return;
  const worker = state.workerOf(row);
  worker?.vacate(state.stepOf(row).slots, state.undo);
  if (worker !== undefined) state.unsettled.noteRoom(worker);
  // They are those of the whole batch: whoever is the last to leave it, running or being told to stop, gives them back no more.
  for (const member of state.batches.ofRow.get(row)?.rows ?? [row]) setFlag(plan, member, LiveFlag.SlotReleased);
  for (const member of togetherWith(plan, row)) journal(plan, member, 'SLOT_RELEASED');
}
