import type { Demands } from '../../model/task/demands.ts';
import { turnKeyOf } from '../queue/round-robin-of-keys.ts';
import type { ShardState } from './shard-state.ts';
import type { SharedDemands } from './shared-demands.ts';
import type { Restore } from './undo-log.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export function internDemands(state: ShardState, tenantId: TenantId, demands: Demands): SharedDemands {
  const text = JSON.stringify(demands);
  let ofTenant = state.demands.get(tenantId);
  if (ofTenant === undefined) {
    ofTenant = new Map();
    state.demands.set(tenantId, ofTenant);
  }
  let shared = ofTenant.get(text);
  if (shared === undefined) {
    shared = {
      tenantId,
      demands,
      text,
      turnKey: turnKeyOf(demands),
      groups: { run: undefined, task: undefined },
      constraint: undefined,
      uses: 0,
    };
    ofTenant.set(text, shared);
  }
  return shared;
}

export function countUse(state: ShardState, shared: SharedDemands, by: 1 | -1): void {
  addUse(state, shared, by);
  state.undo.keep(useCounted, state, shared, by);
}

function addUse(state: ShardState, shared: SharedDemands, by: 1 | -1): void {
  shared.uses += by;
  if (shared.uses === 0) state.unusedDemands.add(shared);
}

const useCounted: Restore<ShardState, SharedDemands, 1 | -1> = {
  restore: (state, shared, by) => addUse(state, shared, by === 1 ? -1 : 1),
};

/** Those that nobody asks for any more. Only after a commit: an undo may bring one back. */
export function sweepDemands(state: ShardState): void {
  for (const shared of state.unusedDemands)
    if (shared.uses === 0) state.demands.get(shared.tenantId)?.delete(shared.text);
  state.unusedDemands.clear();
}
