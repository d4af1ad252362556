import type { ApiTokens, Members, NewApiToken } from '../../../proto/gen/rest/answers.ts';
import { HatchetError } from '../../base/errors.ts';
import { invalid, quoted } from '../../edge/parse/invalid.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { parseDuration } from '../../model/time/duration.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { pagination, resourceMeta } from '../message-fields.ts';
import { objectBody, textMember } from '../request-values.ts';

const longestName = 255;
const shortestMs = 60_000;

/** A tenant's tokens, for admins; and its members, of which there are none: tokens alone have access. */
export function registerTokenRoutes(router: Router, { tokens }: RestDeps): void {
  router.get('/api/v1/tenants/:tenant/api-tokens', async (context) => {
    const good = await tokens.listGood(context.get('caller').tenantId);
    return context.json({
      pagination: onePage,
      rows: good.map(({ id, name, createdAt, expiresAt }) => ({
        metadata: { ...resourceMeta(id), createdAt: createdAt.toISOString(), updatedAt: createdAt.toISOString() },
        name,
        expiresAt: expiresAt.toISOString(),
      })),
    } satisfies ApiTokens);
  });
  router.post('/api/v1/tenants/:tenant/api-tokens', async (context) => {
    const caller = context.get('caller');
    const { name, expiresIn } = await objectBody(context.req);
    const made = await tokens.createLike(context.req.header('authorization')?.replace(/^bearer /i, '') ?? '', {
      tenantId: caller.tenantId,
      name: textMember(name, 'name', { least: 1, most: longestName }),
      expiresAt: expiresIn === undefined || expiresIn === null ? undefined : endOf(expiresIn),
    });
    caller.note(made.id);
    return context.json({ token: made.token } satisfies NewApiToken);
  });
  router.post('/api/v1/api-tokens/:token', async (context) => {
    const caller = context.get('caller');
    const given = context.req.param('token');
    const id = parseUuid(given);
    if (id !== undefined) caller.note(id);
    if (id === undefined || !(await tokens.revoke(caller.tenantId, id)))
      throw new HatchetError('UNKNOWN_TOKEN', `there is no token ${quoted(given)}`, { remedy: 'Check the id.' });
    return context.body(null, 204);
  });
  router.get('/api/v1/tenants/:tenant/members', (context) =>
    context.json({ pagination: onePage, rows: [] } satisfies Members),
  );
}

const onePage = pagination({ offset: 0, limit: 1, more: false });

/** @throws HatchetError INVALID_ARGUMENT */
function endOf(expiresIn: unknown): Date {
  const given = textMember(expiresIn, 'expiresIn');
  const ms = parseDuration(given);
  if (ms === undefined || ms < shortestMs)
    throw invalid(`expiresIn is ${quoted(given)}`, 'Give a duration of a minute or more, such as 24h or 90d.');
  return new Date(Date.now() + ms);
}
