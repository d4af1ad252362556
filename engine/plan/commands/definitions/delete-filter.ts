import { HatchetError } from '../../../base/errors.ts';
import { findFilter } from '../../state/filters.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface DeleteFilterCommand {
  kind: 'deleteFilter';
  tenantId: TenantId;
  filterId: string;
}

export const deleteFilter: Kind<DeleteFilterCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: remove,
};

function remove(plan: Plan, command: DeleteFilterCommand): void {
  const { state, changes } = plan;
  const filter = findFilter(state, command.tenantId, command.filterId);
  if (filter === undefined)
    throw new HatchetError('UNKNOWN_FILTER', `there is no filter ${command.filterId}`, { remedy: 'Check the id.' });
  state.undo.remove(state.filtersOf(filter.workflowId), filter.id);
  changes.filterDeletes.push(filter.id);
}
