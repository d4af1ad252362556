import type { ConcurrencyDemand, Demands } from '../../model/task/demands.ts';
import type { ShardState } from '../state/shard-state.ts';
import { ConcurrencyGroup } from './concurrency-group.ts';
import type { SharedDemands } from './shared-demands.ts';
import type { Restore } from '../state/undo-log.ts';

export function shareDemands(state: ShardState, tenantId: string, demands: Demands): SharedDemands {
  const text = JSON.stringify(demands);
  let ofTenant = state.demands.get(tenantId);
  if (ofTenant === undefined) {
    ofTenant = new Map();
    state.demands.set(tenantId, ofTenant);
  }
  let shared = ofTenant.get(text);
  if (shared === undefined) {
    const ringKey = demands.concurrency.findLast((link) => link.strategy === 'GROUP_ROUND_ROBIN')?.key ?? '';
    shared = {
      tenantId,
      demands,
      text,
      ringKey,
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

/** The groups that a task's or a run's places are in. They come into being with the first request, and are as the newest declares them. */
export function groupsFor(
  state: ShardState,
  { tenantId, shared, level, order }: { tenantId: string; shared: SharedDemands; level: 'run' | 'task'; order: number },
): readonly ConcurrencyGroup[] {
  const links = shared.demands.concurrency.filter((link) => link.level === level);
  const known = shared.groups[level];
  const isCurrent = known?.every((group) => state.groups.get(group.id) === group) === true;
  const groups = isCurrent ? known : links.map((link) => groupFor(state, tenantId, link, order));
  for (const [index, link] of links.entries()) {
    const group = groups[index];
    if (group !== undefined) renew(state, group, link, order);
  }
  shared.groups[level] = groups;
  return groups;
}

function groupFor(state: ShardState, tenantId: string, link: ConcurrencyDemand, order: number): ConcurrencyGroup {
  const id = `${tenantId} ${link.strategyId} ${link.key}`;
  const known = state.groups.get(id);
  if (known !== undefined) return known;
  const { strategyId, key, strategy, maxRuns } = link;
  const waiting = state.lists.create();
  const group = new ConcurrencyGroup({ id, tenantId, strategyId, key, strategy, maxRuns, maxRunsFrom: order, waiting });
  state.groups.set(id, group);
  return group;
}

function renew(state: ShardState, group: ConcurrencyGroup, link: ConcurrencyDemand, order: number): void {
  if (order <= group.maxRunsFrom) return;
  const { maxRuns } = group;
  const { undo } = state;
  undo.set(group, 'maxRuns', link.maxRuns);
  undo.set(group, 'maxRunsFrom', order);
  undo.set(group, 'strategy', link.strategy);
  if (link.maxRuns > maxRuns) state.unsettled.noteFreed(group);
}
