import { HatchetError } from '../../../base/errors.ts';
import type { FilterFields } from '../../../model/stored-rows.ts';
import { setFilter } from '../../state/filters.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface PutFilterCommand {
  kind: 'putFilter';
  tenantId: TenantId;
  filter: FilterFields;
}

export const putFilter: Kind<PutFilterCommand, void> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: put,
};

function put(plan: Plan, command: PutFilterCommand): void {
  const { tenantId, filter } = command;
  const known = [...plan.state.versions.values()].some(
    (version) => version.workflowId === filter.workflowId && version.tenantId === tenantId,
  );
  if (!known)
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${filter.workflowId}`, {
      remedy: 'Check the id.',
    });
  setFilter(plan, { ...filter, tenantId });
}
