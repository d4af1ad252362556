import type { RateLimitWindow } from '../../../model/definition.ts';
import { rateLimitFor, resize } from '../../rate-limits/rate-limit-table.ts';
import { judgeAnew } from '../../rate-limits/wake-at-refill.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface PutRateLimitCommand {
  kind: 'putRateLimit';
  tenantId: TenantId;
  key: string;
  limit: number;
  window: RateLimitWindow;
}

export const putRateLimit: Kind<PutRateLimitCommand, void> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: put,
};

/** Declares a static limit. Those that wait for it are looked at again. */
function put(plan: Plan, command: PutRateLimitCommand): void {
  const { tenantId, key, limit, window } = command;
  const rateLimit = rateLimitFor(plan, tenantId, { key, units: 0, limit: null, window });
  const first = !rateLimit.isStatic;
  // What processes put at their start is nearly always there already.
  if (!first && rateLimit.limit === limit && rateLimit.window === window) return;
  if (first) plan.state.undo.assign(rateLimit, { isStatic: true, windowLimit: limit });
  resize(plan, rateLimit, limit, window);
  judgeAnew(plan, rateLimit);
}
