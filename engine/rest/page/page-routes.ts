import type { Context } from 'hono';
import type { PageLink, PageReader, SignedIn } from '../../../proto/gen/rest/answers.ts';
import { linkRefused, parseCode } from '../../auth/page-links.ts';
import { mayCall } from '../../auth/role.ts';
import { readTenant } from '../../auth/tenants.ts';
import { HatchetError } from '../../base/errors.ts';
import { Caller } from '../../edge/access/caller.ts';
import { tokenIn } from '../../edge/access/gate.ts';
import { routeRules } from '../../edge/access/route-rules.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { parseObject } from '../../payloads/cut-body.ts';
import { addressOf } from '../client-address.ts';
import type { RestDeps, RestEnv } from '../deps.ts';
import { unknownTenant, type Router } from '../gated-router.ts';
import { isoMs } from '../message-fields.ts';
import { passOnRequest } from '../pass-on-requests.ts';
import { textMember } from '../request-values.ts';
import { BodyRoom } from '../webhooks/body-room.ts';
import { limitedBody } from '../webhooks/limited-body.ts';
import { FailedSignIns } from './failed-sign-ins.ts';

/** A code and what is around it. */
const longestBody = 4 * 1024;
/** The answer holds a token. */
const unstored = { 'cache-control': 'no-store' };
const signInPath = '/api/v1/page/sign-in';

/** By which a browser that has no token yet comes to one: with the code of a link. It passes the gate's checks with the token. */
export function registerSignIn(router: Router, deps: RestDeps): void {
  const failed = new FailedSignIns();
  const room = new BodyRoom();
  router.post(signInPath, async (context) => {
    const body = await limitedBody(context.req.raw, { limit: longestBody, room });
    if (body === undefined)
      throw new HatchetError('PAYLOAD_TOO_LARGE', `the body is larger than ${longestBody} bytes`, {
        details: { limit: longestBody },
        remedy: 'Send {"code": "…"}.',
      });
    const code = parseCode(textMember(parseObject(body.toString())['code'], 'code'));
    const elsewhere = await passOnRequest(deps.passingOn, context, code.tenantId, body);
    if (elsewhere !== undefined) return elsewhere;
    // An engine that does not serve the tenant has none of its links: whoever has passed this on looks for the one that does.
    await deps.owner.served(code.tenantId);
    const address = addressOf(context);
    failed.check(address, performance.now());
    const token = deps.links.use(code, Date.now());
    if (token === undefined) {
      failed.add(address, performance.now());
      throw linkRefused();
    }
    const identity = await deps.gate.identify(`Bearer ${token}`);
    const { role, tenantId } = identity;
    await deps.gate.note(new Caller(identity), {
      rule: routeRules['POST /api/v1/page/links'],
      action: `POST ${signInPath}`,
      address: () => address,
    });
    return context.json({ token, tenantId, role } satisfies SignedIn, 200, unstored);
  });
}

/** What the page asks beside what it shows: links to it, and who reads it. */
export function registerPageRoutes(router: Router, deps: RestDeps): void {
  router.post('/api/v1/page/links', async (context) => {
    checkServed(deps);
    const { tenantId } = context.get('caller');
    await deps.owner.served(tenantId);
    const { code, expiresAtMs } = deps.links.make(tenantId, presentedToken(context), Date.now());
    return context.json({ code, expiresAt: isoMs(expiresAtMs) } satisfies PageLink, 200, unstored);
  });
  router.get('/api/v1/page/me', async (context) => {
    const { identity } = context.get('caller');
    const { tenantId, role } = identity;
    const tenant = await readTenant(deps.pool, tenantId);
    if (tenant === undefined) throw unknownTenant(tenantId);
    return context.json({
      tenantId,
      tenantName: tenant.name,
      role,
      expiresAt: isoMs(identity.expiresAtMs),
      engineVersion: deps.version,
      canSkipSleeps: deps.allowSkip && mayCall(role, routeRules['POST /api/v1/monitor/SkipSleep'].needs),
    } satisfies PageReader);
  });
}

/** @throws HatchetError NOT_SUPPORTED */
function checkServed({ page }: RestDeps): void {
  if (page === undefined)
    throw new HatchetError('NOT_SUPPORTED', 'this engine serves no page', { remedy: 'Start it without --no-page.' });
  if (page.files === undefined)
    throw new HatchetError('NOT_SUPPORTED', 'the page is not built', {
      remedy: 'Run `npm run build`, then start the engine again.',
    });
}

/** The gate has let it through. */
function presentedToken(context: Context<RestEnv>): string {
  const token = tokenIn(context.req.header('authorization'));
  if (token === undefined) throw invalid('the call carries no token', 'Send one.');
  return token;
}
