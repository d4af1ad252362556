import type { Webhook } from '../../../proto/gen/rest/answers.ts';
import { webhookSources, type StoredWebhook } from '../../auth/webhooks/webhook.ts';
import { HatchetError } from '../../base/errors.ts';
import { newId } from '../../model/ids/uuid.ts';
import { plainAnswer } from '../answer-in-pieces.ts';
import { isoMs, pagination, storedJson } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { listQuery, objectBody, pageQuery } from '../request-values.ts';
import { newWebhook, webhookChange } from './webhook-request.ts';

const base = '/api/v1/stable/tenants/:tenant/webhooks';

/** Webhooks: their owners' side. No answer holds a secret. */
export function registerWebhookRoutes(router: Router, deps: RestDeps): void {
  const store = deps.webhooks;

  router.get(base, async (context) => {
    const { req } = context;
    const page = pageQuery(req);
    const sources = listQuery(req, 'sourceNames');
    const unknown = sources.find((name) => !webhookSources.some((source) => source === name));
    if (unknown !== undefined)
      throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(unknown)} is not a source`, {
        remedy: `Use ${webhookSources.join(', ')}.`,
      });
    const rows = await store.list(context.get('caller').tenantId, {
      sources,
      names: listQuery(req, 'webhookNames'),
      offset: page.offset,
      limit: page.limit + 1,
    });
    return plainAnswer(context, {
      pagination: pagination({ ...page, more: rows.length > page.limit }),
      rows: rows.slice(0, page.limit).map(webhookMessage),
    });
  });
  router.post(base, async (context) => {
    const { tenantId } = context.get('caller');
    const id = newId();
    context.get('caller').note(id);
    return plainAnswer(
      context,
      webhookMessage(await store.create(newWebhook({ id, tenantId }, await objectBody(context.req)))),
    );
  });
  router.get(`${base}/:webhook`, async (context) => {
    const name = context.req.param('webhook');
    return plainAnswer(context, webhookMessage(known(await store.find(context.get('caller').tenantId, name), name)));
  });
  router.patch(`${base}/:webhook`, async (context) => {
    const name = context.req.param('webhook');
    const change = webhookChange(await objectBody(context.req));
    const caller = context.get('caller');
    const webhook = known(await store.update(caller.tenantId, name, change), name);
    caller.note(webhook.id);
    return plainAnswer(context, webhookMessage(webhook));
  });
  router.delete(`${base}/:webhook`, async (context) => {
    const name = context.req.param('webhook');
    const caller = context.get('caller');
    const webhook = known(await store.delete(caller.tenantId, name), name);
    caller.note(webhook.id);
    return plainAnswer(context, webhookMessage(webhook));
  });
}

function known(webhook: StoredWebhook | undefined, name: string): StoredWebhook {
  if (webhook === undefined) throw unknownWebhook(name);
  return webhook;
}

function unknownWebhook(name: string): HatchetError {
  return new HatchetError('UNKNOWN_WEBHOOK', `there is no webhook ${JSON.stringify(name)}`, {
    remedy: 'Check the name, and the tenant in the address.',
  });
}

/** Beyond the contract, why the newest refused request was refused. */
function webhookMessage(webhook: StoredWebhook): Webhook {
  const {
    id,
    tenantId,
    name,
    source,
    eventKeyExpression,
    scopeExpression,
    staticPayload,
    returnsEvent,
    auth,
    createdAtMs,
    updatedAtMs,
    lastError,
    lastErrorAtMs,
  } = webhook;
  return {
    metadata: { id, createdAt: isoMs(createdAtMs), updatedAt: isoMs(updatedAtMs) },
    tenantId,
    name,
    sourceName: source,
    eventKeyExpression,
    scopeExpression: scopeExpression ?? undefined,
    staticPayload: staticPayload === null ? undefined : storedJson(staticPayload),
    authType: auth.type,
    returnEventAsResponsePayload: returnsEvent,
    lastError: lastError ?? undefined,
    lastErrorAt: lastErrorAtMs === null ? undefined : isoMs(lastErrorAtMs),
  };
}
