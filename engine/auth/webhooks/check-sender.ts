import { checkSignature, type IncomingRequest } from './check-signature.ts';
import { matchesDigest } from './secret-digest.ts';
import type { Webhook } from './webhook.ts';

/** Why a request is not from whom the webhook is for; undefined if it is. Comparisons take the same time for all that is wrong. */
export async function checkSender(webhook: Webhook, request: IncomingRequest, nowMs: number): Promise<string | undefined> {
  const { auth } = webhook;
  if (auth.type === 'HMAC') return checkSignature(webhook.source, { ...request, auth, nowMs });
  if (auth.type === 'API_KEY') {
    const name = auth.headerName.toLowerCase();
    const given = request.headers[name];
    if (given === undefined) return `the header ${name} is missing`;
    return matchesDigest(given, auth.apiKey) ? undefined : 'its API key is not valid';
  }
  const given = basicCredentials(request.headers['authorization'] ?? '');
  if (given === undefined) return 'it carries no user name and password';
  const known = matchesDigest(given.password, auth.password);
  return known && given.username === auth.username ? undefined : 'its user name or password is not valid';
}

function basicCredentials(header: string): { username: string; password: string } | undefined {
  const match = /^basic ([\w+/=-]+)$/i.exec(header.trim());
  if (match?.[1] === undefined) return undefined;
  const text = Buffer.from(match[1], 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
