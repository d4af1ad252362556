import type { Meta, Tenant, Version } from '../../proto/gen/rest/answers.ts';
import type { Hono } from 'hono';
import { readTenant } from '../auth/tenants.ts';
import { HatchetError } from '../base/errors.ts';
import type { PathOf } from '../edge/access/route-rules.ts';
import { resourceMeta } from './message-fields.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { registerCronRoutes } from './timers/cron-routes.ts';
import { registerDocumentRoutes } from './document/document-routes.ts';
import { registerDurableRoutes } from './durable-routes.ts';
import { registerEventRoutes } from './event-routes.ts';
import { registerFilterRoutes } from './filter-routes.ts';
import { registerMetricRoutes } from './metric-routes.ts';
import { registerMonitorRoutes } from './monitor/monitor-routes.ts';
import { registerPageRoutes, registerSignIn } from './page/page-routes.ts';
import { registerRateLimitRoutes } from './rate-limit-routes.ts';
import { registerRunRoutes } from './runs/run-routes.ts';
import { registerScheduleRoutes } from './timers/schedule-routes.ts';
import { registerTaskRoutes } from './task-routes.ts';
import { registerWebhookRoutes } from './webhooks/webhook-routes.ts';
import { registerWorkerRoutes } from './worker-routes.ts';
import { registerWorkflowRoutes } from './workflow-routes.ts';
import { registerAuditRoutes } from './audit-routes.ts';
import { passOnRequest } from './pass-on-requests.ts';
import { Router, unknownTenant } from './gated-router.ts';

/** What the contract has and this version does not serve: said so, rather than "not found". */
const unserved: readonly PathOf<'GET'>[] = [
  '/api/v1/workflows/:workflow/metrics',
  '/api/v1/stable/tenants/:tenant/task-point-metrics',
  '/api/v1/tenants/:tenant/task-stats',
];

/** What needs no token. */
export function registerHealth(app: Hono<RestEnv>, deps: RestDeps): void {
  const router = new Router(app, deps.gate);
  router.get('/api/live', (context) => context.text('ok'));
  router.get('/api/ready', (context) => (deps.isReady() ? context.text('ok') : context.text('not ready', 503)));
  router.get('/api/v1/version', (context) => context.json({ version: deps.version } satisfies Version));
  router.get('/api/v1/meta', (context) =>
    context.json({
      auth: { schemes: [] },
      allowSignup: false,
      allowInvites: false,
      allowCreateTenant: false,
      allowChangePassword: false,
    } satisfies Meta),
  );
  registerDocumentRoutes(router);
  registerSignIn(router, deps);
}

/** Who calls, before anything of the request is read; and the engine that has the caller's tenant answers. */
export function authenticate(app: Hono<RestEnv>, { gate, passingOn }: RestDeps): void {
  app.use('/api/*', async (context, next) => {
    const identity = await gate.identify(context.req.header('authorization'));
    context.set('identity', identity);
    const answer = await passOnRequest(passingOn, context, identity.tenantId);
    if (answer !== undefined) return answer;
    await next();
    return undefined;
  });
}

/** Every other route, in the contract's paths. */
export function registerRoutes(app: Hono<RestEnv>, deps: RestDeps): void {
  const router = new Router(app, deps.gate);
  router.get('/api/v1/tenants/:tenant', async (context) => {
    const tenant = await readTenant(deps.pool, context.get('caller').tenantId);
    if (tenant === undefined) throw unknownTenant(context.req.param('tenant'));
    return context.json({
      metadata: resourceMeta(tenant.id),
      name: tenant.name,
      slug: tenant.name,
      version: 'V1',
      environment: 'development',
    } satisfies Tenant);
  });
  registerRunRoutes(router, deps);
  registerTaskRoutes(router, deps);
  registerDurableRoutes(router, deps);
  registerWorkerRoutes(router, deps);
  registerWorkflowRoutes(router, deps);
  registerEventRoutes(router, deps);
  registerFilterRoutes(router, deps);
  registerRateLimitRoutes(router, deps);
  registerMetricRoutes(router, deps);
  registerCronRoutes(router, deps);
  registerScheduleRoutes(router, deps);
  registerWebhookRoutes(router, deps);
  registerAuditRoutes(router, deps);
  registerMonitorRoutes(router, deps);
  registerPageRoutes(router, deps);
  for (const path of unserved) router.get(path, (context) => notServed(context.req.method, context.req.path));
  router.delete('/api/v1/workflows/:workflow', (context) => notServed(context.req.method, context.req.path));
}

function notServed(method: string, path: string): never {
  throw new HatchetError('NOT_SUPPORTED', `${method} ${path} is not served by this version of the engine`, {
    remedy: 'Upgrade hatchet-ts once a version serves it.',
  });
}
