import type { Hono } from 'hono';
import { readTenant } from '../auth/tenants.ts';
import { HatchetError } from '../errors.ts';
import { parseUuid } from '../model/uuid.ts';
import { resourceMeta } from './contract.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { registerCronRoutes } from './cron-routes.ts';
import { registerDurableRoutes } from './durable-routes.ts';
import { registerEventRoutes } from './event-routes.ts';
import { registerFilterRoutes } from './filter-routes.ts';
import { registerMetricRoutes } from './metric-routes.ts';
import { registerRateLimitRoutes } from './rate-limit-routes.ts';
import { registerRunRoutes } from './run-routes.ts';
import { registerScheduleRoutes } from './schedule-routes.ts';
import { registerTaskRoutes } from './task-routes.ts';
import { registerWebhookRoutes } from './webhook-routes.ts';
import { registerWorkerRoutes } from './worker-routes.ts';
import { registerWorkflowRoutes } from './workflow-routes.ts';

/** What the contract has and this version does not serve: said so, rather than "not found". */
const unserved = [
  ['DELETE', '/api/v1/workflows/:workflow'],
  ['GET', '/api/v1/workflows/:workflow/metrics'],
  ['GET', '/api/v1/stable/tenants/:tenant/task-point-metrics'],
  ['GET', '/api/v1/tenants/:tenant/task-stats'],
  ['GET', '/api/v1/tenants/:tenant/prometheus-metrics'],
] as const;

/** Every route, in the contract's paths. */
export function registerRoutes(app: Hono<RestEnv>, deps: RestDeps): void {
  registerHealth(app, deps);
  authenticate(app, deps);
  app.get('/api/v1/tenants/:tenant', async (context) => {
    const tenant = await readTenant(deps.pool, context.get('caller').tenantId);
    if (tenant === undefined) throw unknownTenant(context.req.param('tenant'));
    return context.json({ metadata: resourceMeta(tenant.id), name: tenant.name, slug: tenant.name, version: 'V1', environment: 'development' });
  });
  registerRunRoutes(app, deps);
  registerTaskRoutes(app, deps);
  registerDurableRoutes(app, deps);
  registerWorkerRoutes(app, deps);
  registerWorkflowRoutes(app, deps);
  registerEventRoutes(app, deps);
  registerFilterRoutes(app, deps);
  registerRateLimitRoutes(app, deps);
  registerMetricRoutes(app, deps);
  registerCronRoutes(app, deps);
  registerScheduleRoutes(app, deps);
  registerWebhookRoutes(app, deps);
  for (const [method, path] of unserved) app.on(method, path, (context) => notServed(context.req.method, context.req.path));
}

function registerHealth(app: Hono<RestEnv>, deps: RestDeps): void {
  app.get('/api/live', (context) => context.text('ok'));
  app.get('/api/ready', (context) => (deps.isReady() ? context.text('ok') : context.text('not ready', 503)));
  app.get('/api/v1/version', (context) => context.json({ version: deps.version }));
  app.get('/api/v1/meta', (context) => context.json({ auth: { schemes: [] }, allowSignup: false, allowInvites: false, allowCreateTenant: false, allowChangePassword: false }));
}

function authenticate(app: Hono<RestEnv>, deps: RestDeps): void {
  app.use('/api/*', async (context, next) => {
    const match = /^bearer (.+)$/i.exec(context.req.header('authorization') ?? '');
    if (match?.[1] === undefined) throw new HatchetError('UNAUTHENTICATED', 'the request carries no token', { remedy: 'Send the header `Authorization: Bearer <token>`.' });
    context.set('caller', await deps.tokens.authenticate(match[1]));
    await next();
  });
  // A path that names another tenant answers as one that names none.
  for (const path of ['/api/v1/tenants/:tenant/*', '/api/v1/stable/tenants/:tenant/*'] as const) {
    app.use(path, async (context, next) => {
      const given = context.req.param('tenant');
      if (parseUuid(given) !== context.get('caller').tenantId) throw unknownTenant(given);
      await next();
    });
  }
}

function unknownTenant(id: string): HatchetError {
  return new HatchetError('UNKNOWN_RUN', `there is no tenant ${JSON.stringify(id)}`, { remedy: 'Check the id and the token.' });
}

function notServed(method: string, path: string): never {
  throw new HatchetError('NOT_SUPPORTED', `${method} ${path} is not served by this version of the engine`, { remedy: 'Upgrade hatchet-ts once a version serves it.' });
}
