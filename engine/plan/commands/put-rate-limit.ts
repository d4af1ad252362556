import type { DeleteRateLimitCommand, PutRateLimitCommand } from './command.ts';
import type { Plan } from '../state/plan.ts';
import { findRateLimit, rateLimitFor, resize } from '../rate-limits/rate-limits.ts';
import { judgeAnew } from '../rate-limits/release-units.ts';

/** Declares a static limit. Those that wait for it are looked at again. */
export function planPutRateLimit(plan: Plan, command: PutRateLimitCommand): void {
  const { tenantId, key, limit, window } = command;
  const rateLimit = rateLimitFor(plan, tenantId, { key, units: 0, limit: null, window });
  const first = !rateLimit.isStatic;
  // What processes put at their start is nearly always there already.
  if (!first && rateLimit.limit === limit && rateLimit.window === window) return;
  if (first) {
    const { windowLimit } = rateLimit;
    rateLimit.isStatic = true;
    rateLimit.windowLimit = limit;
    plan.state.undo.record(() => Object.assign(rateLimit, { isStatic: false, windowLimit }));
  }
  resize(plan, rateLimit, limit, window);
  judgeAnew(plan, rateLimit);
}

/**
 * As if it had never been: a static limit holds nothing until it is put again, a dynamic one begins anew with the next
 * task that asks it. What is written is the empty row, which says as much as none.
 */
export function planDeleteRateLimit(plan: Plan, command: DeleteRateLimitCommand): void {
  const { state, changes } = plan;
  const rateLimit = findRateLimit(state, command.tenantId, command.key);
  if (rateLimit?.exists !== true) return; // a command that is run again changes nothing
  const { limit, windowLimit, windowStartUs, used, isStatic } = rateLimit;
  Object.assign(rateLimit, { limit: 0, windowLimit: 0, windowStartUs: 0, used: 0, isStatic: false });
  state.undo.record(() => Object.assign(rateLimit, { limit, windowLimit, windowStartUs, used, isStatic }));
  changes.touchedLimits.add(rateLimit);
  judgeAnew(plan, rateLimit);
}
