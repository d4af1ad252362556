import type { AuditLines } from '../../../proto/gen/rest/answers.ts';
import { id } from '../../edge/parse/id.ts';
import { uuidFloor } from '../../model/ids/uuid-floor.ts';
import { isoMs } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import { dateQuery, integerQuery, textQuery, uuidQuery } from '../request-values.ts';
import type { Router } from '../gated-router.ts';

/** Who changed what: beyond the contract, for admins. */
export function registerAuditRoutes(router: Router, { audit }: RestDeps): void {
  router.get('/api/v1/tenants/:tenant/audit', async (context) => {
    const { req } = context;
    const limit = integerQuery(req, 'limit', { fallback: 50, least: 1, most: 1000 });
    const since = dateQuery(req, 'since');
    const before = req.query('before');
    const lines = await audit.list({
      tenantId: context.get('caller').tenantId,
      beforeId: before === undefined || before === '' ? null : id(before, 'before'),
      sinceId: since === undefined ? null : uuidFloor(since.getTime()),
      tokenId: uuidQuery(req, 'token'),
      action: textQuery(req, 'action'),
      subject: textQuery(req, 'id'),
      limit: limit + 1,
    });
    const rows = lines
      .slice(0, limit)
      .map(({ id: lineId, atMs, tokenId, tokenName, action, ids, address, outcome }) => ({
        id: lineId,
        at: isoMs(atMs),
        tokenId: tokenId ?? undefined,
        tokenName: tokenName ?? undefined,
        action,
        ids,
        address,
        outcome,
      }));
    return context.json({ rows, next: lines.length > limit ? rows.at(-1)?.id : undefined } satisfies AuditLines);
  });
}
