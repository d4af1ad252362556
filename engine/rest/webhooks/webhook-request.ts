import { oneOf } from '../../edge/parse/choice.ts';
import { expression } from '../../edge/parse/expression.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { smallObject } from '../../edge/parse/checked-json.ts';
import type { Checked } from '../../model/checked.ts';
import { digestSecret } from '../../auth/webhooks/secret-digest.ts';
import {
  hmacAlgorithms,
  hmacEncodings,
  webhookSources,
  type HmacAuth,
  type Webhook,
  type WebhookAuth,
  type WebhookSource,
} from '../../auth/webhooks/webhook.ts';
import type { WebhookChange } from '../../auth/webhooks/webhook-store.ts';
import { isObject } from '../../model/payload/is-object.ts';
import { textMember } from '../request-values.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const longestSecret = 4096;
/** Sources that sign each request with one hash in one encoding. Any other could never be right. */
const signedAs: Partial<Record<WebhookSource, Pick<HmacAuth, 'algorithm' | 'encoding'>>> = {
  STRIPE: { algorithm: 'SHA256', encoding: 'HEX' },
  SLACK: { algorithm: 'SHA256', encoding: 'HEX' },
  SVIX: { algorithm: 'SHA256', encoding: 'BASE64' },
};

/** @throws HatchetError INVALID_ARGUMENT */
function secretText(what: string, value: unknown): Checked<string> {
  return textMember(value, what, { least: 1, most: longestSecret });
}

function headerName(what: string, value: unknown): string {
  if (typeof value !== 'string' || !/^[\w!#$%&'*+.^`|~-]{1,200}$/.test(value))
    throw invalid(`${what} is not the name of a header`, 'Give a name such as X-Signature.');
  return value;
}

function webhookExpression(what: string, value: unknown): Checked<string> {
  if (typeof value !== 'string' || value === '')
    throw invalid(`${what} is missing`, 'Give a CEL expression over `input` and `headers`.');
  return expression(value, what);
}

function staticPayload(value: unknown): Checked<string> {
  return smallObject(JSON.stringify(value), 'staticPayload');
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function flag(value: unknown): boolean | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'boolean')
    throw invalid('returnEventAsResponsePayload is not true or false', 'Send true or false, or leave it out.');
  return value;
}

function authOf(source: WebhookSource, type: WebhookAuth['type'], given: unknown): WebhookAuth {
  if (!isObject(given))
    throw invalid(
      'auth is missing',
      'Send what requests are checked against, as {"username": …, "password": …} for BASIC.',
    );
  const signed = signedAs[source];
  if (signed !== undefined && type !== 'HMAC')
    throw invalid(
      `${source} signs its requests, and authType is ${type}`,
      'Choose HMAC, with the signing secret that it shows.',
    );
  if (type === 'BASIC')
    return {
      type,
      username: secretText('auth.username', given['username']),
      password: digestSecret(secretText('auth.password', given['password'])),
    };
  if (type === 'API_KEY')
    return {
      type,
      headerName: headerName('auth.headerName', given['headerName']),
      apiKey: digestSecret(secretText('auth.apiKey', given['apiKey'])),
    };
  const algorithm = oneOf(given['algorithm'], 'auth.algorithm', hmacAlgorithms);
  const encoding = oneOf(given['encoding'], 'auth.encoding', hmacEncodings);
  if (signed !== undefined && (signed.algorithm !== algorithm || signed.encoding !== encoding))
    throw invalid(
      `${source} signs with ${signed.algorithm} in ${signed.encoding}, not with ${algorithm} in ${encoding}`,
      `Choose ${signed.algorithm} and ${signed.encoding}.`,
    );
  const signingSecret = secretText('auth.signingSecret', given['signingSecret']);
  if (
    source === 'SVIX' &&
    !/^(?:whsec_)?(?:[A-Za-z\d+/]{4})+(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(signingSecret)
  )
    throw invalid("auth.signingSecret is not one of Svix's", 'Copy it whole: whsec_, and base64 after it.');
  return {
    type,
    algorithm,
    encoding,
    signatureHeaderName: headerName('auth.signatureHeaderName', given['signatureHeaderName']),
    signingSecret,
  };
}

/** @throws HatchetError INVALID_ARGUMENT */
export function newWebhook(ids: { id: string; tenantId: TenantId }, body: Record<string, unknown>): Webhook {
  const { name, scopeExpression } = body;
  if (typeof name !== 'string' || !/^[\w-][\w.-]{0,199}$/.test(name))
    throw invalid(
      'name is not of 1 to 200 letters, digits, dots, dashes and underscores',
      'It is the last part of the address: choose another.',
    );
  const source = oneOf(body['sourceName'], 'sourceName', webhookSources);
  return {
    ...ids,
    name,
    source,
    eventKeyExpression: webhookExpression('eventKeyExpression', body['eventKeyExpression']),
    scopeExpression:
      isAbsent(scopeExpression) || scopeExpression === ''
        ? null
        : webhookExpression('scopeExpression', scopeExpression),
    staticPayload: isAbsent(body['staticPayload']) ? null : staticPayload(body['staticPayload']),
    returnsEvent: flag(body['returnEventAsResponsePayload']) ?? false,
    auth: authOf(source, oneOf(body['authType'], 'authType', ['BASIC', 'API_KEY', 'HMAC']), body['auth']),
  };
}

/** @throws HatchetError INVALID_ARGUMENT */
export function webhookChange(body: Record<string, unknown>): WebhookChange {
  const { eventKeyExpression, scopeExpression, staticPayload: payload } = body;
  return {
    eventKeyExpression: isAbsent(eventKeyExpression)
      ? undefined
      : webhookExpression('eventKeyExpression', eventKeyExpression),
    // An empty one removes it.
    scopeExpression: isAbsent(scopeExpression)
      ? undefined
      : scopeExpression === ''
        ? ''
        : webhookExpression('scopeExpression', scopeExpression),
    staticPayload: isAbsent(payload) ? undefined : staticPayload(payload),
    returnsEvent: flag(body['returnEventAsResponsePayload']),
  };
}
