import { HatchetError } from '../../../base/errors.ts';
import type { FilterRow } from '../../../model/stored-rows.ts';
import { setFilter } from '../../state/filters.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, needsNothing, startsNoRuns, weighsOne, type Kind } from '../kind.ts';

export interface PutFilterCommand {
  kind: 'putFilter';
  filter: FilterRow;
}

export const putFilter: Kind<PutFilterCommand, void> = {
  makesRowsOf: ({ filter }) => filter.tenantId,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: put,
};

function put(plan: Plan, command: PutFilterCommand): void {
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
