import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { checkSender } from '../auth/webhooks/check-sender.ts';
import type { StoredWebhook } from '../auth/webhooks/webhook.ts';
import { WebhookStore } from '../auth/webhooks/webhook-store.ts';
import { HatchetError } from '../errors.ts';
import { maxPayloadBytes } from '../model/limits.ts';
import { parseUuid } from '../model/uuid.ts';
import { listEvents } from '../monitor/event-reads.ts';
import { pushEvents } from '../shard/prepare-event.ts';
import { plainAnswer } from './answer.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { anyEvent, eventMessage } from './event-routes.ts';
import { webhookBody, type WebhookBody } from './webhook-body.ts';
import { unknownWebhook } from './webhook-routes.ts';

const path = '/api/v1/stable/tenants/:tenant/webhooks/:webhook';

/**
 * Where others post. Without a token: the webhook's own credentials count. The body becomes an event, and the sender is
 * answered once that is committed. Nothing of a request is looked at before it is known who sent it.
 */
export function registerWebhookReceiver(app: Hono<RestEnv>, deps: RestDeps): void {
  const store = new WebhookStore(deps.pool);
  const limit = bodyLimit({
    maxSize: maxPayloadBytes,
    onError: () => {
      throw new HatchetError('PAYLOAD_TOO_LARGE', `the body is larger than ${maxPayloadBytes} bytes`, { details: { limit: maxPayloadBytes }, remedy: 'Send less.' });
    },
  });
  app.post(path, limit, async (context) => {
    const name = context.req.param('webhook');
    const tenantId = parseUuid(context.req.param('tenant'));
    const webhook = tenantId === undefined ? undefined : await store.find(tenantId, name);
    if (webhook === undefined) throw unknownWebhook(name);
    try {
      return plainAnswer(context, await receive(deps, webhook, context));
    } catch (error) {
      if (error instanceof HatchetError && (error.code === 'INVALID_ARGUMENT' || error.code === 'WEBHOOK_REFUSED')) {
        deps.log.info({ webhook: name, tenant: tenantId, reason: error.message }, 'a webhook refused a request');
        await store.refused(webhook.id, error.message);
      }
      throw error;
    }
  });
}

/** @throws HatchetError WEBHOOK_REFUSED, INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, NOT_OWNER */
async function receive(deps: RestDeps, webhook: StoredWebhook, context: Context<RestEnv>): Promise<object> {
  const headers = { ...context.req.header() }; // with a prototype, which CEL asks for
  const raw = Buffer.from(await context.req.arrayBuffer());
  const refusal = await checkSender(webhook, { headers, body: raw }, Date.now());
  if (refusal !== undefined) throw new HatchetError('WEBHOOK_REFUSED', `the request is refused: ${refusal}`, { remedy: `Compare what the sender is set up with to the webhook ${webhook.name}.` });
  const body = webhookBody(webhook.source, headers['content-type'] ?? '', raw);
  // Slack sends it once, to learn whether the address is alive; it is no event.
  const { challenge } = body.value;
  if (webhook.source === 'SLACK' && typeof challenge === 'string' && challenge !== '') return { challenge };
  const event = await pushedEvent(deps, { webhook, headers, body });
  return webhook.returnsEvent ? { message: 'ok', event } : { message: 'ok' };
}

async function pushedEvent(deps: RestDeps, request: { webhook: StoredWebhook; headers: Record<string, string>; body: WebhookBody }) {
  const { webhook, headers, body } = request;
  const { tenantId, eventKeyExpression, scopeExpression, staticPayload } = webhook;
  const evaluate = async (what: string, expression: string): Promise<string> => {
    const result = await deps.owner.cel.evaluate(expression, { input: body.value, headers });
    if (result.ok && typeof result.value === 'string' && result.value !== '') return result.value;
    const problem = !result.ok ? result.message : result.value === '' ? 'it gives an empty text' : 'it gives no text';
    throw new HatchetError('INVALID_ARGUMENT', `the ${what} expression ${JSON.stringify(expression)} failed: ${problem}`, { remedy: 'Correct the expression, or send what it expects.' });
  };
  const key = await evaluate('event key', eventKeyExpression);
  const scope = scopeExpression === null ? undefined : await evaluate('scope', scopeExpression);
  const payload = staticPayload === null ? body.text : JSON.stringify({ ...body.value, ...Object(JSON.parse(staticPayload)) });
  const [pushed] = await pushEvents(deps.owner, tenantId, [{ key, scope, payload, metadata: '', priority: undefined, webhookName: webhook.name }]);
  if (pushed === undefined) throw new Error('a pushed event is missing in the answer');
  if (!webhook.returnsEvent) return undefined;
  const [stored] = await listEvents(deps.pool, { ...anyEvent, tenantId, ids: [pushed.id] });
  return stored === undefined ? undefined : eventMessage(stored, tenantId);
}
