import { describe, expect, it } from 'vitest';
import { webhookAuth, webhookSources } from '../../../../cli/commands/webhooks/webhook-auth.ts';

describe('webhookAuth', () => {
  it('knows what each source signs with; a generic sender names its header', () => {
    const signed = webhookSources.map((source) =>
      webhookAuth(source, { auth: 'hmac', ...(source === 'GENERIC' ? { header: 'X-Sign' } : {}) })('s'),
    );
    expect(signed).toEqual([
      { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'X-Sign', signingSecret: 's' },
      { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'X-Hub-Signature-256', signingSecret: 's' },
      { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'Stripe-Signature', signingSecret: 's' },
      { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'X-Slack-Signature', signingSecret: 's' },
      { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'Linear-Signature', signingSecret: 's' },
      { algorithm: 'SHA256', encoding: 'BASE64', signatureHeaderName: 'svix-signature', signingSecret: 's' },
    ]);
    expect(
      webhookAuth('GENERIC', { auth: 'hmac', header: 'X', algorithm: 'SHA512', encoding: 'BASE64URL' })('s'),
    ).toMatchObject({ algorithm: 'SHA512', encoding: 'BASE64URL' });
  });

  it('takes a user name or a header for what is only compared', () => {
    expect(webhookAuth('GENERIC', { auth: 'basic', username: 'me' })('s')).toEqual({ username: 'me', password: 's' });
    expect(webhookAuth('LINEAR', { auth: 'api-key', header: 'X-Key' })('s')).toEqual({
      headerName: 'X-Key',
      apiKey: 's',
    });
  });

  it.each([
    [{ auth: 'hmac' }, /any header/],
    [{ auth: 'hmac', header: 'X', username: 'me' }, /--username means nothing/],
    [{ auth: 'basic' }, /user name/],
    [{ auth: 'basic', username: 'me', header: 'X' }, /--header means nothing/],
    [{ auth: 'api-key' }, /name of a header/],
    [{ auth: 'api-key', header: 'X', encoding: 'HEX' }, /--encoding means nothing/],
  ] as const)('refuses %j', (flags, message) => {
    expect(() => webhookAuth('GENERIC', flags)).toThrow(message);
  });
});
