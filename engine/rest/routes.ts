import type { Hono } from 'hono';
import { readTenant } from '../auth/tenants.ts';
import { HatchetError } from '../errors.ts';
import { parseUuid } from '../model/uuid.ts';
import type { RestDeps, RestEnv } from './deps.ts';

/** Every route, in the contract's paths. */
export function registerRoutes(app: Hono<RestEnv>, deps: RestDeps): void {
  app.get('/api/live', (context) => context.text('ok'));
  app.get('/api/ready', (context) => (deps.isReady() ? context.text('ok') : context.text('not ready', 503)));
  app.get('/api/v1/version', (context) => context.json({ version: deps.version }));
  app.get('/api/v1/meta', (context) => context.json({ auth: { schemes: [] }, allowSignup: false, allowInvites: false, allowCreateTenant: false, allowChangePassword: false }));

  app.use('/api/*', async (context, next) => {
    const match = /^bearer (.+)$/i.exec(context.req.header('authorization') ?? '');
    if (match?.[1] === undefined) throw new HatchetError('UNAUTHENTICATED', 'the request carries no token', { remedy: 'Send the header `Authorization: Bearer <token>`.' });
    context.set('caller', await deps.tokens.authenticate(match[1]));
    await next();
  });
  // A path that names another tenant answers as one that names none.
  app.use('/api/v1/tenants/:tenant/*', async (context, next) => {
    ownTenant(context.req.param('tenant'), context.get('caller').tenantId);
    await next();
  });
  app.use('/api/v1/stable/tenants/:tenant/*', async (context, next) => {
    ownTenant(context.req.param('tenant'), context.get('caller').tenantId);
    await next();
  });

  app.get('/api/v1/tenants/:tenant', async (context) => {
    ownTenant(context.req.param('tenant'), context.get('caller').tenantId);
    const tenant = await readTenant(deps.pool, context.get('caller').tenantId);
    if (tenant === undefined) throw unknownTenant();
    const now = new Date().toISOString();
    return context.json({ metadata: { id: tenant.id, createdAt: now, updatedAt: now }, name: tenant.name, slug: tenant.name, version: 'V1', environment: 'development' });
  });
  app.patch('/api/v1/workers/:worker', async (context) => {
    const workerId = parseUuid(context.req.param('worker')) ?? '';
    const body: unknown = await context.req.json();
    const paused = typeof body === 'object' && body !== null && 'isPaused' in body && typeof body.isPaused === 'boolean' ? body.isPaused : undefined;
    const { tenantId } = context.get('caller');
    if (paused !== undefined) await deps.owner.submit(tenantId, { kind: 'updateWorker', tenantId, workerId, paused });
    return context.json({ metadata: { id: workerId } });
  });
}

function ownTenant(given: string, own: string): void {
  if (parseUuid(given) !== own) throw unknownTenant();
}

function unknownTenant(): HatchetError {
  return new HatchetError('UNKNOWN_RUN', 'there is no such tenant', { remedy: 'Check the id and the token.' });
}
