import { verify as verifyGithub } from '@octokit/webhooks-methods';
import { Webhook as StandardWebhook, WebhookVerificationError } from 'standardwebhooks';
import { isSigned } from './hmac-signature.ts';
import { secondsHeader, staleTime } from './signed-time.ts';
import type { HmacAuth, WebhookSource } from './webhook.ts';

/** A request as it came. */
export interface IncomingRequest {
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

interface Signed extends IncomingRequest {
  auth: HmacAuth;
  /** What the header of the signature holds. */
  signature: string;
  nowMs: number;
}

/** What is wrong with a request; undefined for nothing. */
type Check = (request: Signed) => string | undefined | Promise<string | undefined>;

const wrong = 'its signature is not valid';

const checkBody: Check = ({ signature, body, auth }) => (isSigned(signature, [body], auth) ? undefined : wrong);

/** https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries; the older header carries SHA1. */
const checkGithub: Check = async (request) => {
  const { signature, body, auth } = request;
  if (auth.algorithm !== 'SHA256' || auth.encoding !== 'HEX') return checkBody(request);
  if (body.length === 0) return wrong;
  return (await verifyGithub(auth.signingSecret, body.toString(), signature)) ? undefined : wrong;
};

/** `t=1492774577,v1=5257a8…,v1=6ffbb5…`: the time, and a signature for each secret that is in force. */
const checkStripe: Check = ({ signature, body, auth, nowMs }) => {
  const parts = signature.split(',').map((part) => part.trim());
  const time = parts.find((part) => part.startsWith('t='))?.slice(2) ?? '';
  const signatures = parts.filter((part) => part.startsWith('v1=')).map((part) => part.slice(3));
  if (!signatures.some((each) => isSigned(each, [`${time}.`, body], auth))) return wrong;
  return staleTime(secondsHeader(time), nowMs);
};

/** `v0=…` over `v0:<time>:<body>`, with the time in a header of its own. */
const checkSlack: Check = ({ signature, headers, body, auth, nowMs }) => {
  const time = headers['x-slack-request-timestamp'] ?? '';
  if (!signature.startsWith('v0=') || !isSigned(signature.slice(3), [`v0:${time}:`, body], auth)) return wrong;
  return staleTime(secondsHeader(time), nowMs);
};

/** The time is in the body, in milliseconds. */
const checkLinear: Check = (request) => {
  const unsigned = checkBody(request);
  return unsigned === undefined ? staleTime(linearTime(request.body), request.nowMs) : unsigned;
};

function linearTime(body: Buffer): number {
  try {
    const value: unknown = JSON.parse(body.toString());
    const time: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'webhookTimestamp') : undefined;
    return typeof time === 'number' ? time : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/** Standard Webhooks, of which Svix is the origin; its own headers start with `svix-`. The library minds the time. */
const checkSvix: Check = ({ headers, signature, body, auth }) => {
  const id = headers['svix-id'] ?? headers['webhook-id'] ?? '';
  const time = headers['svix-timestamp'] ?? headers['webhook-timestamp'] ?? '';
  if (!/^\d{1,12}$/.test(time)) return 'its time of signing is not a number';
  try {
    new StandardWebhook(auth.signingSecret).verify(body.toString(), { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature }, { jsonParse: false });
    return undefined;
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return error.message.includes('timestamp') ? 'its time of signing is more than 5 minutes off' : wrong;
  }
};

const checks: Record<WebhookSource, Check> = { GENERIC: checkBody, GITHUB: checkGithub, STRIPE: checkStripe, SLACK: checkSlack, LINEAR: checkLinear, SVIX: checkSvix };

/** What is wrong with the signature of a request; undefined for nothing. */
export async function checkSignature(source: WebhookSource, request: IncomingRequest & { auth: HmacAuth; nowMs: number }): Promise<string | undefined> {
  const name = request.auth.signatureHeaderName.toLowerCase();
  const signature = request.headers[name];
  if (signature === undefined || signature === '') return `the header ${name} is missing`;
  return checks[source]({ ...request, signature });
}
