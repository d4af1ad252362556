import { createHmac } from 'node:crypto';
import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';

export type CreateWebhook = Parameters<HatchetClient['webhooks']['create']>[0];
type Source = CreateWebhook['sourceName'];

export function mac(secret: string | Buffer, text: string, encoding: 'hex' | 'base64' = 'hex'): string {
  return createHmac('sha256', secret).update(text).digest(encoding);
}

export const seconds = (): string => String(Math.floor(Date.now() / 1000));
export const sha256Hex = { algorithm: 'SHA256', encoding: 'HEX' } as const;

/** How each source signs, by its own documentation. */
export const senders: {
  source: `${Source}`;
  auth: object;
  eventKeyExpression: string;
  body: object;
  sign: (body: string) => Record<string, string>;
  key: string;
}[] = [
  {
    source: 'GITHUB',
    auth: { ...sha256Hex, signatureHeaderName: 'X-Hub-Signature-256', signingSecret: 'github secret' },
    eventKeyExpression: `'hook:github:' + headers['x-github-event'] + ':' + input.action`,
    body: { action: 'opened', number: 7 },
    sign: (body) => ({
      'x-github-event': 'pull_request',
      'x-hub-signature-256': `sha256=${mac('github secret', body)}`,
    }),
    key: 'hook:github:pull_request:opened',
  },
  {
    source: 'STRIPE',
    auth: { ...sha256Hex, signatureHeaderName: 'Stripe-Signature', signingSecret: 'whsec_stripe' },
    eventKeyExpression: `'hook:stripe:' + input.type`,
    body: { id: 'evt_1', type: 'invoice.paid' },
    sign: (body) => {
      const time = seconds();
      return { 'stripe-signature': `t=${time},v1=${mac('whsec_stripe', `${time}.${body}`)}` };
    },
    key: 'hook:stripe:invoice.paid',
  },
  {
    source: 'SLACK',
    auth: { ...sha256Hex, signatureHeaderName: 'X-Slack-Signature', signingSecret: 'slack secret' },
    eventKeyExpression: `'hook:slack:' + (has(input.command) ? input.command : input.type)`,
    body: { type: 'event_callback' },
    sign: (body) => {
      const time = seconds();
      return {
        'x-slack-request-timestamp': time,
        'x-slack-signature': `v0=${mac('slack secret', `v0:${time}:${body}`)}`,
      };
    },
    key: 'hook:slack:event_callback',
  },
  {
    source: 'LINEAR',
    auth: { ...sha256Hex, signatureHeaderName: 'Linear-Signature', signingSecret: 'linear secret' },
    eventKeyExpression: `'hook:linear:' + input.type`,
    body: { type: 'Issue', webhookTimestamp: Date.now() },
    sign: (body) => ({ 'linear-signature': mac('linear secret', body) }),
    key: 'hook:linear:Issue',
  },
  {
    source: 'SVIX',
    auth: {
      algorithm: 'SHA256',
      encoding: 'BASE64',
      signatureHeaderName: 'svix-signature',
      signingSecret: `whsec_${Buffer.from('svix secret').toString('base64')}`,
    },
    eventKeyExpression: `'hook:svix:' + input.type`,
    body: { type: 'user.created' },
    sign: (body) => {
      const time = seconds();
      return {
        'svix-id': 'msg_1',
        'svix-timestamp': time,
        'svix-signature': `v1,${mac('svix secret', `msg_1.${time}.${body}`, 'base64')}`,
      };
    },
    key: 'hook:svix:user.created',
  },
  {
    source: 'GENERIC',
    auth: { username: 'ada', password: 'secret word' },
    eventKeyExpression: `'hook:generic:' + input.kind`,
    body: { kind: 'ping' },
    sign: () => ({ authorization: `Basic ${Buffer.from('ada:secret word').toString('base64')}` }),
    key: 'hook:generic:ping',
  },
];

export function sender(source: `${Source}`): (typeof senders)[number] {
  const found = senders.find((each) => each.source === source);
  if (found === undefined) throw new Error(`no sender ${source}`);
  return found;
}
