import { awaitRefill } from '../../rate-limits/wait-for-units.ts';
import { rateLimitFor } from '../../rate-limits/rate-limit-table.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface PauseRateLimitCommand {
  kind: 'pauseRateLimit';
  tenantId: TenantId;
  /** As rendered. It need not have been put, nor asked by any task. */
  key: string;
  untilUs: number;
}

export const pauseRateLimit: Kind<PauseRateLimitCommand, { untilUs: number }> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: pause,
};

/** Nobody gets units of the key until then; what has them goes on. An earlier time never shortens a pause. */
function pause(plan: Plan, { tenantId, key, untilUs }: PauseRateLimitCommand): { untilUs: number } {
  const limit = rateLimitFor(plan, tenantId, { key, units: 0, limit: null, window: 'MINUTE' });
  if (untilUs > limit.pausedUntilUs) {
    plan.state.undo.set(limit, 'pausedUntilUs', untilUs);
    plan.changes.touchedLimits.add(limit);
    awaitRefill(plan, limit);
  }
  return { untilUs: limit.pausedUntilUs };
}
