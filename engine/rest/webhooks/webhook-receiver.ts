import type { Context, Hono } from 'hono';
import { checkSender, nobodysWebhook } from '../../auth/webhooks/check-sender.ts';
import type { BodyVerdict, Headers } from '../../auth/webhooks/signature-schemes.ts';
import { deliveryKeys } from '../../auth/webhooks/delivery-keys.ts';
import type { StoredWebhook } from '../../auth/webhooks/webhook.ts';
import { CelVariables } from '../../cel/cel-variables.ts';
import { HatchetError } from '../../base/errors.ts';
import { maxPayloadBytes } from '../../model/limits.ts';
import { parseTenantId } from '../../model/ids/tenant-id.ts';
import { listEvents } from '../../monitor/event-reads.ts';
import type { WebhookDelivery } from '../../plan/commands/command-kind.ts';
import { pushEvents } from '../../shard/prepare/prepare-event.ts';
import { plainAnswer } from '../answer-in-pieces.ts';
import type { RestDeps, RestEnv } from '../deps.ts';
import { anyEvent, eventMessage } from '../events/event-routes.ts';
import { BodyRoom } from './body-room.ts';
import { limitedBody } from './limited-body.ts';
import { passOnRequest } from '../pass-on-requests.ts';
import { addressOf } from '../client-address.ts';
import { webhookBody, type WebhookBody } from './webhook-body.ts';

const path = '/api/v1/stable/tenants/:tenant/webhooks/:webhook';

/** The same for a webhook that does not exist, a tenant that does not, and a sender that is not the right one. */
function refused(): HatchetError {
  return new HatchetError(
    'WEBHOOK_REFUSED',
    'the request is refused: there is no such webhook, or its credentials are missing, wrong or too old',
    {
      remedy:
        "Check the address, and compare what the sender is set up with to the webhook; `hatchet webhooks get` shows why the webhook's last request was refused.",
    },
  );
}

/**
 * Where others post. Without a token: the webhook's own credentials count. The body becomes an event, and the sender is
 * answered once that is committed. Nothing of a request is looked at before it is known who sent it: the headers come
 * first, then one HMAC over a body that is read up to the limit, and only then what the body says.
 */
export function registerWebhookReceiver(app: Hono<RestEnv>, deps: RestDeps): void {
  const room = new BodyRoom();
  app.post(path, async (context) => {
    const headers = { ...context.req.header() }; // with a prototype, which CEL asks for
    const promised = Number(headers['content-length'] ?? 0);
    if (promised > maxPayloadBytes) throw tooLarge();
    const tenantId = parseTenantId(context.req.param('tenant'));
    const answer = tenantId === undefined ? undefined : await passOnRequest(deps.passingOn, context, tenantId);
    if (answer !== undefined) return answer;
    const webhook =
      tenantId === undefined ? undefined : await deps.webhooks.findRecent(tenantId, context.req.param('webhook'));
    try {
      const sent = await senderOf(webhook, headers, context, room);
      if (webhook === undefined) throw refused();
      const body = webhookBody(webhook.source, headers['content-type'] ?? '', sent.body);
      // Slack sends it once, to learn whether the address is alive; it is no event.
      const { challenge } = body.value;
      if (webhook.source === 'SLACK' && typeof challenge === 'string' && challenge !== '')
        return context.json({ challenge });
      const event = await pushedEvent(deps, {
        webhook,
        headers,
        body,
        signature: sent.signature,
        address: addressOf(context),
      });
      return plainAnswer(context, webhook.returnsEvent ? { message: 'ok', event } : { message: 'ok' });
    } catch (error) {
      if (webhook !== undefined && error instanceof HatchetError && error.code === 'INVALID_ARGUMENT')
        await note(deps, webhook, error.message);
      if (!(error instanceof SenderRefused)) throw error;
      if (webhook !== undefined) await note(deps, webhook, `the request is refused: ${error.message}`);
      throw refused();
    }
  });
}

/** Why, for the webhook's owner alone. */
class SenderRefused extends Error {}

/** @throws SenderRefused, HatchetError PAYLOAD_TOO_LARGE */
async function senderOf(
  webhook: StoredWebhook | undefined,
  headers: Headers,
  context: Context<RestEnv>,
  room: BodyRoom,
): Promise<{ body: Buffer; signature: string | undefined }> {
  const verdict = checkSender(webhook ?? nobodysWebhook(headers), headers, Date.now());
  if ('refused' in verdict) throw new SenderRefused(verdict.refused);
  const body = await limitedBody(context.req.raw, { limit: maxPayloadBytes, room });
  if (body === undefined) throw tooLarge();
  const said: BodyVerdict = verdict.check(body);
  if ('refused' in said) throw new SenderRefused(said.refused);
  return { body, signature: said.signature };
}

function tooLarge(): HatchetError {
  return new HatchetError('PAYLOAD_TOO_LARGE', `the body is larger than ${maxPayloadBytes} bytes`, {
    details: { limit: maxPayloadBytes },
    remedy: 'Send less.',
  });
}

/** In the log as seldom as at the webhook. */
async function note({ webhooks, log }: RestDeps, { id, name, tenantId }: StoredWebhook, reason: string): Promise<void> {
  if (await webhooks.refused(id, reason))
    log.info({ webhook: name, tenant: tenantId, reason }, 'a webhook refused a request');
}

/** @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, NOT_OWNER */
async function pushedEvent(
  deps: RestDeps,
  request: {
    webhook: StoredWebhook;
    headers: Record<string, string>;
    body: WebhookBody;
    signature: string | undefined;
    address: string;
  },
) {
  const { webhook, headers, body, signature } = request;
  const { tenantId, eventKeyExpression, scopeExpression } = webhook;
  // Laid over the body before the expressions are evaluated, so that they see what the event's runs are given.
  const payload = payloadOf(webhook, body);
  const variables = new CelVariables(
    { input: payload.text, headers: JSON.stringify(headers) },
    { input: payload.value, headers },
  );
  const evaluate = async (what: string, expression: string): Promise<string> => {
    const result = await deps.owner.cel.evaluate(tenantId, expression, variables);
    if (result.ok && typeof result.value === 'string' && result.value !== '') return result.value;
    const problem = !result.ok ? result.message : result.value === '' ? 'it gives an empty text' : 'it gives no text';
    throw new HatchetError(
      'INVALID_ARGUMENT',
      `the ${what} expression ${JSON.stringify(expression)} failed: ${problem}`,
      { remedy: 'Correct the expression, or send what it expects.' },
    );
  };
  const key = await evaluate('event key', eventKeyExpression);
  const scope = scopeExpression === null ? undefined : await evaluate('scope', scopeExpression);
  const delivery = deliveryOf(webhook, { headers, signature, value: body.value });
  const [pushed] = await pushEvents(deps.owner, tenantId, [
    { key, scope, payload: payload.text, metadata: '', priority: undefined, webhookName: webhook.name, delivery },
  ]);
  if (pushed === undefined) throw new Error('a pushed event is missing in the answer');
  // Beside the answer, as with other calls that start runs.
  const line = {
    tenantId,
    tokenId: null,
    action: `POST ${path}`,
    ids: [webhook.id, pushed.id],
    address: request.address,
    outcome: 'OK',
  };
  deps.audit
    .write(line)
    .catch((failure: unknown) =>
      deps.log.error({ err: failure, ...line }, 'an audit line could not be stored; this is all that is left of it'),
    );
  if (!webhook.returnsEvent) return undefined;
  // A repetition is answered as the first was.
  const [stored] = await listEvents(deps.pool, { ...anyEvent, tenantId, ids: [pushed.storedId] });
  return stored === undefined ? undefined : eventMessage(stored, tenantId);
}

/** The body, with the webhook's static payload laid over it: its members win. */
function payloadOf({ staticPayload }: StoredWebhook, body: WebhookBody): WebhookBody {
  if (staticPayload === null) return body;
  const value = { ...body.value, ...Object(JSON.parse(staticPayload)) };
  return { text: JSON.stringify(value), value };
}

function deliveryOf(webhook: StoredWebhook, request: Parameters<typeof deliveryKeys>[1]): WebhookDelivery | undefined {
  const keys = deliveryKeys(webhook, request);
  const nowUs = Date.now() * 1000;
  return keys.length === 0
    ? undefined
    : {
        webhookId: webhook.id,
        nowUs,
        keys: keys.map(({ key, forMs }) => ({ key, expiresUs: nowUs + forMs * 1000 })),
      };
}
