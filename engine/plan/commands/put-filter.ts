import { HatchetError } from '../../base/errors.ts';
import type { DeleteFilterCommand, PutFilterCommand } from './command.ts';
import type { Plan } from '../state/plan.ts';
import type { Filter, ShardState } from '../state/shard-state.ts';

export function planPutFilter(plan: Plan, command: PutFilterCommand): void {
  const { filter } = command;
  const known = [...plan.state.versions.values()].some(
    ({ workflowId, tenantId }) => workflowId === filter.workflowId && tenantId === filter.tenantId,
  );
  if (!known)
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${filter.workflowId}`, {
      remedy: 'Check the id.',
    });
  setFilter(plan, filter);
}

export function planDeleteFilter(plan: Plan, command: DeleteFilterCommand): void {
  const { state, changes } = plan;
  const filter = findFilter(state, command.tenantId, command.filterId);
  if (filter === undefined)
    throw new HatchetError('UNKNOWN_FILTER', `there is no filter ${command.filterId}`, { remedy: 'Check the id.' });
  state.filters.get(filter.workflowId)?.delete(filter.id);
  state.undo.record(() => state.addFilter(filter));
  changes.filterDeletes.push(filter.id);
}

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
