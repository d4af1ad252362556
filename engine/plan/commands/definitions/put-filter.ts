import type { FilterFields } from '../../../model/stored-rows.ts';
import { setFilter } from '../../state/filters.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';
import { ownWorkflow } from './change-workflow.ts';

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
  ownWorkflow(plan, tenantId, filter.workflowId);
  setFilter(plan, { ...filter, tenantId });
}
