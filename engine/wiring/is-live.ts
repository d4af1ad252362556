import type { TenantId } from '../model/ids/tenant-id.ts';
import type { Owner } from '../shard/owner.ts';

/** Whether a run goes on, as far as this process serves it. */
export function isLive(owner: Owner, tenantId: TenantId, runId: string): boolean {
  const state = owner.stateOf(tenantId);
  if (state === undefined) return false;
  const runRow = state.runsById.get(runId);
  if (runRow !== undefined) return state.runs[runRow]?.ended === false;
  // A cancelled task that its worker has still to be told of has ended, although its row is here.
  const row = state.tasks.find(runId);
  return row !== undefined && !state.isEnded(row);
}
