import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** The tenant is being deleted: nothing new of it begins any more. Memory only: after a take-over it is said again. */
export interface CloseTenantCommand {
  kind: 'closeTenant';
  tenantId: TenantId;
}

export const closeTenant: Kind<CloseTenantCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: close,
};

function close({ state }: Plan, { tenantId }: CloseTenantCommand): void {
  state.undo.add(state.closedTenants, tenantId);
}
