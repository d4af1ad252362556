import { findRateLimit } from '../../rate-limits/rate-limit-table.ts';
import { judgeAnew } from '../../rate-limits/wake-at-refill.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface DeleteRateLimitCommand {
  kind: 'deleteRateLimit';
  tenantId: TenantId;
  key: string;
}

export const deleteRateLimit: Kind<DeleteRateLimitCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: remove,
};

/**
 * As if it had never been: a static limit holds nothing until it is put again, a dynamic one begins anew with the next
 * task that asks it. What is written is the empty row, which says as much as none.
 */
function remove(plan: Plan, command: DeleteRateLimitCommand): void {
  const { state, changes } = plan;
  const rateLimit = findRateLimit(state, command.tenantId, command.key);
  if (rateLimit?.exists !== true) return; // a command that is run again changes nothing
  state.undo.assign(rateLimit, {
    limit: 0,
    windowLimit: 0,
    windowStartUs: 0,
    used: 0,
    isStatic: false,
    pausedUntilUs: 0,
  });
  changes.touchedLimits.add(rateLimit);
  judgeAnew(plan, rateLimit);
}
