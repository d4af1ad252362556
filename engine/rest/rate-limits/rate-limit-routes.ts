import type { RateLimits } from '../../../proto/gen/rest/answers.ts';
import { invalid, quoted } from '../../edge/parse/invalid.ts';
import { HatchetError } from '../../base/errors.ts';
import { findRateLimit } from '../../plan/rate-limits/rate-limit-table.ts';
import { isoUs, pagination } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { pageQuery, textQuery } from '../request-values.ts';

/** Rate limits, with what is left of each. */
export function registerRateLimitRoutes(router: Router, deps: RestDeps): void {
  router.get('/api/v1/tenants/:tenant/rate-limits', async (context) => {
    const { tenantId } = context.get('caller');
    const { req } = context;
    const page = pageQuery(req);
    const search = req.query('search') ?? '';
    const state = await deps.owner.served(tenantId);
    const { nowUs } = deps.owner;
    const all = [...state.rateLimits.values()]
      .filter((limit) => limit.tenantId === tenantId && limit.exists && limit.key.includes(search))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const end = page.offset + page.limit;
    const rows = all.slice(page.offset, end).map((limit) => ({
      key: limit.key,
      tenantId,
      limitValue: limit.limit,
      value: limit.left(nowUs),
      window: limit.window,
      lastRefill: isoUs(limit.windowStartUs),
    }));
    return context.json({ pagination: pagination({ ...page, more: all.length > end }), rows } satisfies RateLimits);
  });
  router.delete('/api/v1/tenants/:tenant/rate-limits', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const key = textQuery(context.req, 'key');
    if (key === null) throw invalid('key is missing', 'Give the key of the limit as ?key=.');
    caller.note(key);
    const state = await deps.owner.served(tenantId);
    if (findRateLimit(state, tenantId, key)?.exists !== true)
      throw new HatchetError('UNKNOWN_RATE_LIMIT', `there is no rate limit ${quoted(key)}`, {
        remedy: 'Check the key; `hatchet rate-limits list` shows those that exist.',
      });
    await deps.owner.submit({ kind: 'deleteRateLimit', tenantId, key });
    return context.body(null, 204);
  });
}
