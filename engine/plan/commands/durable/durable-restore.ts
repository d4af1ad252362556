import { LiveState } from '../../../model/task/live-state.ts';
import { durableRow } from '../../durable/find-durable-task.ts';
import { restore } from '../../durable/restore-task.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** Wakes an evicted task, whatever it waits for. */
export interface DurableRestoreCommand {
  kind: 'durableRestore';
  tenantId: TenantId;
  taskId: string;
}
export interface DurableRestoreReply {
  requeued: boolean;
}

export const durableRestore: Kind<DurableRestoreCommand, DurableRestoreReply> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan(plan, command) {
    const row = durableRow(plan, command);
    if (plan.state.tasks.state[row] !== LiveState.Evicted) return { requeued: false };
    restore(plan, row);
    return { requeued: true };
  },
};
