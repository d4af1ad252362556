import type { Meta, Tenant, Version } from '../../proto/gen/rest/answers.ts';
import type { Hono } from 'hono';
import { readTenant } from '../auth/tenants.ts';
import { resourceMeta } from './message-fields.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { registerCronRoutes } from './timers/cron-routes.ts';
import { registerDocumentRoutes } from './document/document-routes.ts';
import { registerDurableRoutes } from './durable/durable-routes.ts';
import { registerEventRoutes } from './events/event-routes.ts';
import { registerFilterRoutes } from './events/filter-routes.ts';
import { registerMetricRoutes } from './metrics/metric-routes.ts';
import { registerMonitorRoutes } from './monitor/monitor-routes.ts';
import { registerPageRoutes, registerSignIn } from './page/page-routes.ts';
import { registerRateLimitRoutes } from './rate-limits/rate-limit-routes.ts';
import { registerRunRoutes } from './runs/run-routes.ts';
import { registerScheduleRoutes } from './timers/schedule-routes.ts';
import { registerTaskRoutes } from './tasks/task-routes.ts';
import { registerWebhookRoutes } from './webhooks/webhook-routes.ts';
import { registerWorkerRoutes } from './workers/worker-routes.ts';
import { registerWorkflowRoutes } from './workflows/workflow-routes.ts';
import { registerAuditRoutes } from './access/audit-routes.ts';
import { registerTokenRoutes } from './access/token-routes.ts';
import { registerLogRoutes } from './logs/log-routes.ts';
import { registerLoadRoutes } from './metrics/load-routes.ts';
import { registerPointRoutes } from './metrics/point-routes.ts';
import { registerOlderRoutes } from './older/older-routes.ts';
import { registerTraceRoutes } from './traces/trace-routes.ts';
import { passOnRequest } from './pass-on-requests.ts';
import { Router, unknownTenant } from './gated-router.ts';

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
  registerLoadRoutes(router, deps);
  registerPointRoutes(router, deps);
  registerLogRoutes(router, deps);
  registerTraceRoutes(router, deps);
  registerOlderRoutes(router, deps);
  registerTokenRoutes(router, deps);
  registerMonitorRoutes(router, deps);
  registerPageRoutes(router, deps);
}
