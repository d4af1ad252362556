import type { Plan } from './plan.ts';
import type { Filter, ShardState } from './shard-state.ts';

export function setFilter(plan: Plan, filter: Filter): void {
  const { state, changes } = plan;
  const before = state.filters.get(filter.workflowId)?.get(filter.id);
  state.addFilter(filter);
  state.undo.record(() => {
    if (before === undefined) state.filters.get(filter.workflowId)?.delete(filter.id);
    else state.addFilter(before);
  });
  changes.filters.push(filter);
}

export function findFilter(state: ShardState, tenantId: string, filterId: string): Filter | undefined {
  for (const filters of state.filters.values()) {
    const filter = filters.get(filterId);
    if (filter !== undefined) return filter.tenantId === tenantId ? filter : undefined;
  }
  return undefined;
}
