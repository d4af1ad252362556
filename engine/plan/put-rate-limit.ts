import type { PutRateLimitCommand } from './command.ts';
import type { Plan } from './plan.ts';
import { rateLimitFor, resize } from './rate-limits.ts';
import { requeueAll } from './spend-units.ts';

/** Declares a static limit. Those that wait for it are looked at again. */
export function planPutRateLimit(plan: Plan, command: PutRateLimitCommand): void {
  const { tenantId, key, limit, window } = command;
  const rateLimit = rateLimitFor(plan, tenantId, { key, units: 0, limit: null, window });
  const first = !rateLimit.isStatic;
  if (first) {
    const { windowLimit } = rateLimit;
    rateLimit.isStatic = true;
    rateLimit.windowLimit = limit;
    plan.state.undo.record(() => Object.assign(rateLimit, { isStatic: false, windowLimit }));
  }
  resize(plan, rateLimit, limit, window);
  requeueAll(plan, rateLimit);
}
