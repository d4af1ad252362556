import type { Hono } from 'hono';
import { HatchetError } from '../errors.ts';
import { findRateLimit } from '../plan/rate-limits.ts';
import { isoUs, pagination } from './contract.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { integerQuery } from './request-values.ts';

/** Rate limits, with what is left of each. */
export function registerRateLimitRoutes(app: Hono<RestEnv>, deps: RestDeps): void {
  app.get('/api/v1/tenants/:tenant/rate-limits', (context) => {
    const { tenantId } = context.get('caller');
    const { req } = context;
    const page = { offset: integerQuery(req, 'offset', { fallback: 0, least: 0, most: 1_000_000 }), limit: integerQuery(req, 'limit', { fallback: 50, least: 1, most: 1000 }) };
    const search = req.query('search') ?? '';
    const state = deps.owner.stateOf(tenantId);
    const nowUs = state?.timeUs(deps.owner.nowUs) ?? 0;
    const all = [...(state?.rateLimits.values() ?? [])].filter((limit) => limit.tenantId === tenantId && limit.exists && limit.key.includes(search)).sort((a, b) => (a.key < b.key ? -1 : 1));
    const end = page.offset + page.limit;
    const rows = all.slice(page.offset, end).map((limit) => ({ key: limit.key, tenantId, limitValue: limit.limit, value: limit.left(nowUs), window: limit.window, lastRefill: isoUs(limit.windowStartUs) }));
    return context.json({ pagination: pagination({ ...page, more: all.length > end }), rows });
  });
  app.delete('/api/v1/tenants/:tenant/rate-limits', async (context) => {
    const { tenantId } = context.get('caller');
    const key = context.req.query('key');
    if (key === undefined || key === '') throw new HatchetError('INVALID_ARGUMENT', 'key is missing', { remedy: 'Give the key of the limit as ?key=.' });
    const state = deps.owner.stateOf(tenantId);
    if (state !== undefined && findRateLimit(state, tenantId, key)?.exists !== true) throw new HatchetError('UNKNOWN_RATE_LIMIT', `there is no rate limit ${JSON.stringify(key)}`, { remedy: 'Check the key; `hatchet rate-limits list` shows those that exist.' });
    await deps.owner.submit(tenantId, { kind: 'deleteRateLimit', tenantId, key });
    return context.body(null, 204);
  });
}
