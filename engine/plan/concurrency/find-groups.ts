import type { ConcurrencyDemand } from '../../model/task/demands.ts';
import type { ShardState } from '../state/shard-state.ts';
import { ConcurrencyGroup } from './concurrency-group.ts';
import type { SharedDemands } from '../state/shared-demands.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** The groups that a task's or a run's places are in. They come into being with the first request, and are as the newest declares them. */
export function findGroups(
  state: ShardState,
  {
    tenantId,
    shared,
    level,
    order,
  }: { tenantId: TenantId; shared: SharedDemands; level: 'run' | 'task'; order: number },
): readonly ConcurrencyGroup[] {
  const links = shared.demands.concurrency.filter((link) => link.level === level);
  const known = shared.groups[level];
  const isCurrent = known?.every((group) => state.groups.get(group.id) === group) === true;
  const groups = isCurrent ? known : links.map((link) => groupFor(state, tenantId, link, order));
  for (const [index, link] of links.entries()) {
    const group = groups[index];
    if (group?.declare(link, order, state.undo) === true) state.unsettled.noteFreed(group);
  }
  shared.groups[level] = groups;
  return groups;
}

function groupFor(state: ShardState, tenantId: TenantId, link: ConcurrencyDemand, order: number): ConcurrencyGroup {
  const id = `${tenantId} ${link.strategyId} ${link.key}`;
  const known = state.groups.get(id);
  if (known !== undefined) return known;
  const { strategyId, key, strategy, maxRuns } = link;
  const waiting = state.lists.create();
  const group = new ConcurrencyGroup({ id, tenantId, strategyId, key, strategy, maxRuns, maxRunsFrom: order, waiting });
  state.groups.set(id, group);
  return group;
}
