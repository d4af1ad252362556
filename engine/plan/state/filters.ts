import type { Plan } from './plan.ts';
import type { Filter, ShardState } from './shard-state.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export function setFilter(plan: Plan, filter: Filter): void {
  const { state, changes } = plan;
  state.undo.put(state.filtersOf(filter.workflowId), filter.id, filter);
  changes.filters.push(filter);
}

export function findFilter(state: ShardState, tenantId: TenantId, filterId: string): Filter | undefined {
  for (const filters of state.filters.values()) {
    const filter = filters.get(filterId);
    if (filter !== undefined) return filter.tenantId === tenantId ? filter : undefined;
  }
  return undefined;
}
