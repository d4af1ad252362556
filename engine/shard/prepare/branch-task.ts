import type { DurableBranchReply } from '../../plan/commands/durable/durable-branch.ts';
import type { Owner } from '../owner.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/**
 * Starts a durable task again from a node of its log, on a new branch.
 * @param task its `branch` is the one that the node is looked for on; 0 for the current one
 * @throws HatchetError INVALID_ARGUMENT for an unknown node, RUN_BUSY while another task of its run is unfinished, or its worker has not let go of it
 */
export function branchTask(
  owner: Pick<Owner, 'submit'>,
  task: { tenantId: TenantId; taskId: string; branch: number; node: number },
): Promise<DurableBranchReply> {
  return owner.submit({
    kind: 'durableBranch',
    ...task,
  });
}
