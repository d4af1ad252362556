import { describe, expect, it } from 'vitest';
import { checkSender } from '../../../engine/auth/webhooks/check-sender.ts';
import { digestSecret } from '../../../engine/auth/webhooks/secret-digest.ts';
import type { HmacAuth, Webhook, WebhookAuth, WebhookSource } from '../../../engine/auth/webhooks/webhook.ts';
import { tenantOf } from '../../helpers/tenant.ts';

/** The second in which all vectors were signed; they were computed with Python's hmac, GitHub's is that of its documentation. */
const signedAt = 1_700_000_000;
const stale = 'its time of signing is more than 5 minutes off';
const wrong = 'its signature is not valid';

interface Vector {
  source: WebhookSource;
  auth: HmacAuth;
  headers: Record<string, string>;
  body: string;
  /** Whether the sender signs the time. */
  timed: boolean;
  signedAt: number;
}

const sha256Hex = { type: 'HMAC', algorithm: 'SHA256', encoding: 'HEX' } as const;
const vectors: Vector[] = [
  {
    source: 'GITHUB',
    auth: { ...sha256Hex, signatureHeaderName: 'X-Hub-Signature-256', signingSecret: "It's a Secret to Everybody" },
    headers: { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' },
    body: 'Hello, World!',
    timed: false,
    signedAt,
  },
  {
    source: 'GITHUB',
    auth: {
      ...sha256Hex,
      algorithm: 'SHA1',
      signatureHeaderName: 'X-Hub-Signature',
      signingSecret: "It's a Secret to Everybody",
    },
    headers: { 'x-hub-signature': 'sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59' },
    body: 'Hello, World!',
    timed: false,
    signedAt,
  },
  {
    source: 'STRIPE',
    auth: { ...sha256Hex, signatureHeaderName: 'Stripe-Signature', signingSecret: 'whsec_stripe_test' },
    headers: {
      'stripe-signature': `t=${signedAt},v1=${'0'.repeat(64)}, v1=7c4cf29ed295a051cbb49c5805a8d028e76f6cf67a1c5f66337503f7a38ca027,v0=1234`,
    },
    body: '{"type":"invoice.paid","id":"evt_1"}',
    timed: true,
    signedAt,
  },
  {
    source: 'SLACK',
    auth: { ...sha256Hex, signatureHeaderName: 'X-Slack-Signature', signingSecret: '8f742231b10e8888abcd99yyyzzz85a5' },
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=f6205b1bf57df7bda31170a92c855dc2a512be369f82ea814d3b4aa405469656',
    },
    body: 'token=xyzz0WbapA4vBCDEFzPbzCAV&team_id=T1DC2JH3J&command=%2Fweather&text=94070',
    timed: true,
    signedAt: 1_531_420_618,
  },
  {
    source: 'LINEAR',
    auth: { ...sha256Hex, signatureHeaderName: 'Linear-Signature', signingSecret: 'lin_wh_test' },
    headers: { 'linear-signature': '0e30fc8cd283b78c118cae3e3685e9eb3595a5f7146ae4b53f8f6b042364e895' },
    body: '{"action":"create","type":"Issue","webhookTimestamp":1700000000000}',
    timed: true,
    signedAt,
  },
  {
    source: 'SVIX',
    auth: {
      type: 'HMAC',
      algorithm: 'SHA256',
      encoding: 'BASE64',
      signatureHeaderName: 'svix-signature',
      signingSecret: 'whsec_YSBzZWNyZXQgb2YgdHdlbnR5LWZvdXIh',
    },
    headers: {
      'svix-id': 'msg_1',
      'svix-timestamp': String(signedAt),
      'svix-signature': 'v1,aaaa v1,uijCKNYB0ErLaVBRSM93earJWudbFSSD2wy6RSyXQfg=',
    },
    body: '{"type":"user.created"}',
    timed: true,
    signedAt,
  },
];

const generic: readonly [HmacAuth['algorithm'], hex: string, base64: string][] = [
  ['MD5', '6fb7eb1c56c458158f1165ae614485ad', 'b7frHFbEWBWPEWWuYUSFrQ=='],
  ['SHA1', '7de069221abe947ac3a0dd9f6eda227a4b079945', 'feBpIhq+lHrDoN2fbtoieksHmUU='],
  [
    'SHA256',
    '97f5e47860ec2d7b3e7584fe94608574bb31ccde09432411122c8c7db14947ee',
    'l/XkeGDsLXs+dYT+lGCFdLsxzN4JQyQREiyMfbFJR+4=',
  ],
  [
    'SHA512',
    '99df5d3160f2e7bd78f9f82e292e9078f74621908b32688aa1742926cd994b341f531a329440e3bcde825cdfcc630ffccfbd6dac6738b094a6c369470afd9566',
    'md9dMWDy5714+fguKS6QePdGIZCLMmiKoXQpJs2ZSzQfUxoylEDjvN6CXN/MYw/8z71trGc4sJSmw2lHCv2VZg==',
  ],
];

function check(
  source: WebhookSource,
  auth: WebhookAuth,
  request: { headers: Record<string, string>; body: string; at?: number },
): string | undefined {
  const webhook: Webhook = {
    id: 'w',
    tenantId: tenantOf('t'),
    name: 'hook',
    source,
    eventKeyExpression: '"x"',
    scopeExpression: null,
    staticPayload: null,
    returnsEvent: false,
    auth,
  };
  const nowMs = (request.at ?? signedAt) * 1000;
  const verdict = checkSender(webhook, request.headers, nowMs);
  const said = 'refused' in verdict ? verdict : verdict.check(Buffer.from(request.body));
  return 'refused' in said ? said.refused : undefined;
}

describe.each(vectors)('$source, $auth.algorithm', ({ source, auth, headers, body, signedAt: at }) => {
  it('takes what its sender signed', () => {
    expect(check(source, auth, { headers, body, at })).toBeUndefined();
  });

  it('refuses another body, another secret, another hash, and no signature', () => {
    expect(check(source, auth, { headers, body: body.replace('e', 'E'), at })).toBe(wrong);
    expect(
      check(
        source,
        { ...auth, signingSecret: source === 'SVIX' ? 'whsec_YW5vdGhlcg==' : 'another' },
        { headers, body, at },
      ),
    ).toBe(wrong);
    if (source !== 'SVIX') expect(check(source, { ...auth, algorithm: 'SHA512' }, { headers, body, at })).toBe(wrong);
    expect(check(source, auth, { headers: {}, body, at })).toBe(
      `the header ${auth.signatureHeaderName.toLowerCase()} is missing`,
    );
    expect(
      check(source, auth, {
        headers: { ...headers, [auth.signatureHeaderName.toLowerCase()]: `v0=,t=${at},v1=,sha256=` },
        body,
        at,
      }),
    ).toBe(wrong);
  });
});

describe.each(vectors.filter(({ timed }) => timed))('$source', ({ source, auth, headers, body, signedAt: at }) => {
  it('refuses what was signed more than 5 minutes ago, or ahead', () => {
    expect(check(source, auth, { headers, body, at: at + 300 })).toBeUndefined();
    expect(check(source, auth, { headers, body, at: at - 300 })).toBeUndefined();
    expect(check(source, auth, { headers, body, at: at + 302 })).toBe(stale);
    expect(check(source, auth, { headers, body, at: at - 302 })).toBe(stale);
  });
});

describe('times', () => {
  it('cannot be replaced: they are signed', () => {
    const [stripe, slack, svix] = [vectors[2], vectors[3], vectors[5]];
    for (const [vector, name, value] of [
      [
        stripe,
        'stripe-signature',
        `t=${signedAt + 600},v1=7c4cf29ed295a051cbb49c5805a8d028e76f6cf67a1c5f66337503f7a38ca027`,
      ],
      [slack, 'x-slack-request-timestamp', String(signedAt + 600)],
      [svix, 'svix-timestamp', String(signedAt + 600)],
    ] as const) {
      if (vector === undefined) throw new Error('a vector is missing');
      expect(
        check(vector.source, vector.auth, {
          ...vector,
          headers: { ...vector.headers, [name]: value },
          at: signedAt + 600,
        }),
      ).toBe(wrong);
    }
  });

  it('Linear without one is refused', () => {
    const auth: HmacAuth = { ...sha256Hex, signatureHeaderName: 'Linear-Signature', signingSecret: 'lin_wh_test' };
    const headers = { 'linear-signature': '63f8d9bc92ecdae19286fe1ff25aeec2dc0fea3c8b583654a39eb24cb3e900fd' };
    expect(check('LINEAR', auth, { headers, body: '{"action":"create","type":"Issue"}' })).toBe(
      'its time of signing is not a number',
    );
  });
});

describe('GENERIC', () => {
  it.each(generic)('%s in each encoding', (algorithm, hex, base64) => {
    const base64url = base64.replaceAll('+', '-').replaceAll('/', '_');
    const signed = {
      HEX: [hex, hex.toUpperCase(), `${algorithm.toLowerCase()}=${hex}`],
      BASE64: [base64, base64.replace(/=+$/, '')],
      BASE64URL: [base64url],
    } as const;
    for (const encoding of ['HEX', 'BASE64', 'BASE64URL'] as const) {
      const auth: HmacAuth = {
        type: 'HMAC',
        algorithm,
        encoding,
        signatureHeaderName: 'X-Signature',
        signingSecret: 'generic secret',
      };
      for (const signature of signed[encoding])
        expect(check('GENERIC', auth, { headers: { 'x-signature': signature }, body: '{"n":"é"}' })).toBeUndefined();
      for (const signature of [hex.slice(1), `${hex}00`, 'zz', ''])
        expect(check('GENERIC', auth, { headers: { 'x-signature': signature }, body: '{"n":"é"}' })).toBeDefined();
    }
  });

  it('basic credentials, and an API key in its header', () => {
    const basic: WebhookAuth = { type: 'BASIC', username: 'ada', password: digestSecret('pass:word') };
    const header = (text: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(text).toString('base64')}`,
    });
    expect(check('GENERIC', basic, { headers: header('ada:pass:word'), body: '{}' })).toBeUndefined();
    for (const text of ['ada:pass', 'bob:pass:word', 'ada', ':', 'ada:pass:word '])
      expect(check('GENERIC', basic, { headers: header(text), body: '{}' })).toBeDefined();
    expect(check('GENERIC', basic, { headers: {}, body: '{}' })).toBe('it carries no user name and password');
    const key: WebhookAuth = { type: 'API_KEY', headerName: 'X-Api-Key', apiKey: digestSecret('k1') };
    expect(check('GENERIC', key, { headers: { 'x-api-key': 'k1' }, body: '{}' })).toBeUndefined();
    for (const given of ['k2', '', 'k11'])
      expect(check('GENERIC', key, { headers: { 'x-api-key': given }, body: '{}' })).toBe('its API key is not valid');
  });

  it('keeps of what it compares a digest alone', () => {
    const [one, other] = [digestSecret('k1'), digestSecret('k1')];
    expect(JSON.stringify(one)).not.toContain('k1');
    expect(one.hash).not.toBe(other.hash);
  });
});
