import { randomBytes } from 'node:crypto';
import { checkSignature, type Headers, type HeadersVerdict } from './signature-schemes.ts';
import { matchesDigest } from './secret-digest.ts';
import type { HmacAuth, Webhook, WebhookSource } from './webhook.ts';

/** What a request is checked against. */
export type Checked = Pick<Webhook, 'source' | 'auth'>;

const known: HeadersVerdict = { check: () => ({ signature: undefined }) };

/** Why a request is not from whom the webhook is for, as far as its headers say. Comparisons take the same time for all that is wrong. */
export function checkSender({ source, auth }: Checked, headers: Headers, nowMs: number): HeadersVerdict {
  if (auth.type === 'HMAC') return checkSignature(source, { headers, auth, nowMs });
  if (auth.type === 'API_KEY') {
    const name = auth.headerName.toLowerCase();
    const given = headers[name];
    if (given === undefined) return { refused: `the header ${name} is missing` };
    return matchesDigest(given, auth.apiKey) ? known : { refused: 'its API key is not valid' };
  }
  const given = basicCredentials(headers['authorization'] ?? '');
  if (given === undefined) return { refused: 'it carries no user name and password' };
  const isPassword = matchesDigest(given.password, auth.password);
  return isPassword && given.username === auth.username ? known : { refused: 'its user name or password is not valid' };
}

function basicCredentials(header: string): { username: string; password: string } | undefined {
  const match = /^basic ([\w+/=-]+)$/i.exec(header.trim());
  if (match?.[1] === undefined) return undefined;
  const text = Buffer.from(match[1], 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

const bySignature: readonly (readonly [header: string, WebhookSource])[] = [
  ['stripe-signature', 'STRIPE'],
  ['x-slack-signature', 'SLACK'],
  ['svix-signature', 'SVIX'],
  ['webhook-signature', 'SVIX'],
];

/** Nobody has it: it is new with each start. */
const nobodysSecret = randomBytes(32).toString('base64');

/**
 * What a request to a webhook that does not exist is checked against: one of the source that its headers look like, with
 * a secret that nobody has. So it is refused after the same work, and its body is read where that of another would be.
 */
export function nobodysWebhook(headers: Headers): Checked {
  const [header, source] = bySignature.find(([name]) => headers[name] !== undefined) ?? [
    Object.keys(headers).find((name) => name.includes('signature')) ?? 'x-signature',
    'GENERIC',
  ];
  const auth: HmacAuth = {
    type: 'HMAC',
    algorithm: 'SHA256',
    encoding: source === 'SVIX' ? 'BASE64' : 'HEX',
    signatureHeaderName: header,
    signingSecret: nobodysSecret,
  };
  return { source, auth };
}
