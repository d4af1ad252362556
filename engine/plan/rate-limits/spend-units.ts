import type { RateLimitDemand } from '../../model/task/demands.ts';
import type { Plan } from '../state/plan.ts';
import { rateLimitFor } from './rate-limit-table.ts';
import type { RateLimit } from './rate-limit.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Debits what an attempt takes, in the transaction that assigns it. */
export function spendUnits(plan: Plan, demands: readonly RateLimitDemand[], tenantId: TenantId): void {
  const { state } = plan;
  for (const demand of demands) {
    if (demand.units === 0) continue;
    const limit = rateLimitFor(plan, tenantId, demand);
    if (limit.isOver(plan.nowUs)) beginWindow(plan, limit);
    state.undo.set(limit, 'used', limit.used + demand.units);
    plan.changes.touchedLimits.add(limit);
  }
}

function beginWindow(plan: Plan, limit: RateLimit): void {
  const { state, nowUs } = plan;
  limit.refillAt(nowUs, state.undo);
  if (nowUs > state.newestWindowUs) state.undo.set(state, 'newestWindowUs', nowUs);
}
