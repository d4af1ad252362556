import type * as crypto from 'node:crypto';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { checkSender, nobodysWebhook } from '../../../engine/auth/webhooks/check-sender.ts';
import { deliveryKeys } from '../../../engine/auth/webhooks/delivery-keys.ts';
import { RecentLookups } from '../../../engine/auth/webhooks/recent-lookups.ts';
import { digestSecret } from '../../../engine/auth/webhooks/secret-digest.ts';
import { webhookSources, type HmacAuth, type WebhookSource } from '../../../engine/auth/webhooks/webhook.ts';

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof crypto>();
  return { ...real, createHmac: vi.fn(real.createHmac) };
});

const macs = vi.mocked(createHmac);
const nowMs = 1_700_000_000_000;
const seconds = String(nowMs / 1000);
const headerOf: Record<WebhookSource, string> = {
  GENERIC: 'x-signature',
  GITHUB: 'x-hub-signature-256',
  STRIPE: 'stripe-signature',
  SLACK: 'x-slack-signature',
  LINEAR: 'linear-signature',
  SVIX: 'svix-signature',
};
const authOf = (source: WebhookSource): HmacAuth => ({
  type: 'HMAC',
  algorithm: 'SHA256',
  encoding: source === 'SVIX' ? 'BASE64' : 'HEX',
  signatureHeaderName: headerOf[source],
  signingSecret: 'whsec_c2VjcmV0',
});
const headersAt = (time: string): Record<string, string> => ({
  'x-slack-request-timestamp': time,
  'svix-id': 'msg_1',
  'svix-timestamp': time,
});

/** Of 8 wrong signatures, and where there is a time, signed at that time. */
function signatureOf(source: WebhookSource, time: string, count: number): string {
  if (source === 'STRIPE') return [`t=${time}`, ...Array.from({ length: count }, () => 'v1=00')].join(',');
  if (source === 'SVIX') return Array.from({ length: count }, () => 'v1,00').join(' ');
  return source === 'SLACK' ? 'v0=00' : '00';
}

beforeEach(() => void macs.mockClear());

describe.each(webhookSources)('%s, asked by a stranger', (source) => {
  const webhook = { source, auth: authOf(source) };
  const body = Buffer.from('{"webhookTimestamp":1700000000000}');

  it('computes one HMAC, however many signatures come, and none before the body', () => {
    const verdict = checkSender(
      webhook,
      { ...headersAt(seconds), [headerOf[source]]: signatureOf(source, seconds, 200) },
      nowMs,
    );
    expect(macs).not.toHaveBeenCalled();
    if ('refused' in verdict) throw new Error(verdict.refused);
    expect(verdict.check(body)).toEqual({ refused: 'its signature is not valid' });
    expect(macs).toHaveBeenCalledTimes(1);
  });

  it('refuses by the headers alone what is missing, too long or too old', () => {
    const tries: Record<string, string>[] = [
      { ...headersAt(seconds) },
      { ...headersAt(seconds), [headerOf[source]]: `t=${seconds},${'v1=,'.repeat(2600)}` },
    ];
    if (source === 'STRIPE' || source === 'SLACK' || source === 'SVIX')
      tries.push({ ...headersAt('1'), [headerOf[source]]: signatureOf(source, '1', 1) });
    for (const headers of tries) expect(checkSender(webhook, headers, nowMs)).toHaveProperty('refused');
    expect(macs).not.toHaveBeenCalled();
  });

  it('does the same for a webhook that does not exist', () => {
    for (const headers of [
      { ...headersAt(seconds), [headerOf[source]]: signatureOf(source, seconds, 3) },
      { ...headersAt('1'), [headerOf[source]]: signatureOf(source, '1', 3) },
      { ...headersAt(seconds) },
    ]) {
      macs.mockClear();
      const [real, nobodys] = [webhook, nobodysWebhook(headers)].map((each) => checkSender(each, headers, nowMs));
      if (real === undefined || nobodys === undefined) throw new Error('a verdict is missing');
      expect('check' in nobodys).toBe('check' in real);
      if ('check' in real && 'check' in nobodys) expect(nobodys.check(body)).toEqual(real.check(body));
    }
  });
});

it('compares with eight signatures at most', () => {
  const mac = createHmac('sha256', 'secret').update(`${seconds}.{}`).digest('hex');
  const webhook = { source: 'STRIPE' as const, auth: { ...authOf('STRIPE'), signingSecret: 'secret' } };
  const check = (before: number): unknown => {
    const verdict = checkSender(
      webhook,
      { 'stripe-signature': `t=${seconds},${'v1=00,'.repeat(before)}v1=${mac}` },
      nowMs,
    );
    return 'refused' in verdict ? verdict : verdict.check(Buffer.from('{}'));
  };
  expect([check(7), check(8)]).toEqual([{ signature: mac }, { refused: 'its signature is not valid' }]);
});

it('who comes with a password is known before the body', () => {
  const verdict = checkSender(
    { source: 'GENERIC', auth: { type: 'API_KEY', headerName: 'x-api-key', apiKey: digestSecret('k') } },
    { 'x-api-key': 'other' },
    nowMs,
  );
  expect(verdict).toEqual({ refused: 'its API key is not valid' });
});

describe('deliveryKeys', () => {
  const keys = (
    source: WebhookSource,
    request: { headers?: Record<string, string>; signature?: string; value?: Record<string, unknown> },
  ): string[] =>
    deliveryKeys({ source }, { headers: {}, signature: undefined, value: {}, ...request }).map(({ key }) => key);
  const meet = (a: readonly string[], b: readonly string[]): boolean => a.some((key) => b.includes(key));

  it('knows a replay again, whatever is changed of what is not signed', () => {
    for (const source of webhookSources) {
      fc.assert(
        fc.property(fc.string(), fc.string(), (one, other) => {
          const signed = { signature: 'abc', value: { id: 'evt_1', event_id: 'Ev1' } };
          const svix = { 'svix-id': 'msg_1' };
          expect(
            meet(
              keys(source, { ...signed, headers: { ...svix, 'x-github-delivery': one, 'linear-delivery': one } }),
              keys(source, { ...signed, headers: { ...svix, 'x-github-delivery': other, 'linear-delivery': other } }),
            ),
          ).toBe(true);
        }),
      );
    }
  });

  it("knows a sender's own repetition again, signed anew", () => {
    expect(
      meet(
        keys('STRIPE', { signature: 'a', value: { id: 'evt_1' } }),
        keys('STRIPE', { signature: 'b', value: { id: 'evt_1' } }),
      ),
    ).toBe(true);
    expect(
      meet(
        keys('SLACK', { signature: 'a', value: { event_id: 'Ev1' } }),
        keys('SLACK', { signature: 'b', value: { event_id: 'Ev1' } }),
      ),
    ).toBe(true);
    expect(
      meet(
        keys('SVIX', { signature: 'a', headers: { 'webhook-id': 'm' } }),
        keys('SVIX', { signature: 'b', headers: { 'svix-id': 'm' } }),
      ),
    ).toBe(true);
    for (const [source, header] of [
      ['GITHUB', 'x-github-delivery'],
      ['LINEAR', 'linear-delivery'],
    ] as const) {
      expect(
        meet(
          keys(source, { signature: 'a', headers: { [header]: '1' } }),
          keys(source, { signature: 'b', headers: { [header]: '1' } }),
        ),
      ).toBe(true);
      expect(meet(keys(source, { headers: { [header]: '1' } }), keys(source, { headers: { [header]: '1' } }))).toBe(
        true,
      );
    }
  });

  it('tells apart what was signed at another time or has another id, and all that comes with a password', () => {
    for (const source of ['STRIPE', 'SLACK', 'LINEAR', 'GENERIC', 'GITHUB'] as const)
      expect(meet(keys(source, { signature: 'a' }), keys(source, { signature: 'b' }))).toBe(false);
    expect(
      meet(
        keys('STRIPE', { signature: 'a', value: { id: 'evt_1' } }),
        keys('STRIPE', { signature: 'a', value: { id: 'evt_2' } }),
      ),
    ).toBe(false);
    expect(keys('GENERIC', { headers: { 'x-github-delivery': '1' }, value: { id: '1' } })).toEqual([]);
    expect(keys('GITHUB', {})).toEqual([]);
  });
});

describe('RecentLookups', () => {
  function lookups() {
    const reads: string[][] = [];
    const open: (() => void)[] = [];
    const made = new RecentLookups<string>((keys) => {
      reads.push([...keys]);
      return new Promise((resolve) =>
        open.push(() =>
          resolve(new Map(keys.filter((key) => key !== 'none').map((key) => [key, `${key} ${reads.length}`]))),
        ),
      );
    });
    return { made, reads, answer: () => open.shift()?.() };
  }

  it('asks once for all that come while it asks, and remembers what is not there', async () => {
    const { made, reads, answer } = lookups();
    const asked = [
      made.find('a'),
      made.find('a'),
      ...Array.from({ length: 100 }, (_, index) => made.find(`x${index}`)),
      made.find('none'),
    ];
    answer();
    await asked[0];
    answer();
    expect(await Promise.all(asked.slice(-1))).toEqual([undefined]);
    await Promise.all([made.find('a'), made.find('none'), ...asked]);
    expect(reads.map((keys) => keys.length)).toEqual([1, 102]);
  });

  it('reads anew what was forgotten, also where that happened while it was read', async () => {
    const { made, reads, answer } = lookups();
    const first = made.find('a');
    made.forget('a');
    answer();
    await first;
    const again = made.find('a');
    answer();
    expect(await again).toBe('a 2');
    made.forget('a');
    const third = made.find('a');
    answer();
    expect([await third, reads.length]).toEqual(['a 3', 3]);
  });
});
