import { beforeAll, describe, expect, it } from 'vitest';
import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { webhookFixture } from '../helpers/webhook-fixture.ts';
import { mac, sender, senders, sha256Hex, type CreateWebhook } from '../helpers/webhook-senders.ts';

const webhooks = webhookFixture('webhooks');
const { fixture, seen, post, rest, events } = webhooks;
let hatchet: HatchetClient;

beforeAll(() => void ({ hatchet } = webhooks));

describe('webhooks, made by the published SDK', () => {
  it.each(senders)(
    '$source: a signed request becomes an event, and starts a run; an unsigned or changed one nothing',
    async ({ source, auth, eventKeyExpression, body, sign, key }) => {
      const name = source.toLowerCase();
      const options: CreateWebhook = Object({
        name,
        eventKeyExpression,
        returnEventAsResponsePayload: true,
        sourceName: source,
        auth,
      });
      const created = await hatchet.webhooks.create(options);
      expect(created).toMatchObject({
        tenantId: hatchet.tenantId,
        name,
        sourceName: source,
        authType: source === 'GENERIC' ? 'BASIC' : 'HMAC',
        eventKeyExpression,
        returnEventAsResponsePayload: true,
      });

      const [before, started] = [await events(), seen.length];
      const text = JSON.stringify(body);
      const signed = sign(text);
      const answer = await post(name, { body: text, headers: signed });
      expect(answer).toMatchObject({
        status: 200,
        body: { message: 'ok', event: { key, payload: body, tenantId: hatchet.tenantId, triggeringWebhookName: name } },
      });
      expect(answer.body.event.triggeredRuns).toHaveLength(1);
      await expect.poll(() => seen.length).toBe(started + 1);
      expect(seen.at(-1)).toEqual(body);

      expect((await post(name, { body: text })).status).toBe(403);
      const changed = { ...signed, authorization: `Basic ${Buffer.from('ada:other').toString('base64')}` };
      expect((await post(name, { body: text.replace('{', '{ '), headers: changed })).status).toBe(403);
      expect([await events(), seen.length]).toEqual([before + 1, started + 1]);
    },
  );

  it("Slack's challenge is answered, and its forms become JSON", async () => {
    const slack = sender('SLACK');
    const before = await events();
    const challenge = JSON.stringify({ type: 'url_verification', challenge: '3eZbrw1a' });
    expect(await post('slack', { body: challenge, headers: slack.sign(challenge) })).toEqual({
      status: 200,
      body: { challenge: '3eZbrw1a' },
    });
    expect((await post('slack', { body: challenge })).status).toBe(403);
    expect(await events()).toBe(before);

    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const command = 'command=%2Fweather&text=94070';
    expect(
      (await post('slack', { body: command, headers: { ...slack.sign(command), ...form } })).body.event,
    ).toMatchObject({ key: 'hook:slack:/weather', payload: { command: '/weather', text: '94070' } });
    const action = `payload=${encodeURIComponent('{"type":"block_actions"}')}`;
    expect(
      (await post('slack', { body: action, headers: { ...slack.sign(action), ...form } })).body.event,
    ).toMatchObject({ key: 'hook:slack:block_actions' });
  });

  it('lists, updates and deletes; no answer holds a secret, nor does the table hold one that is only compared', async () => {
    const list = await hatchet.webhooks.list();
    expect(list.rows?.map((row) => row.name)).toEqual(['generic', 'github', 'linear', 'slack', 'stripe', 'svix']);
    expect(JSON.stringify(list)).not.toMatch(/secret|whsec|"ada"/);
    const { rows } = await fixture.database.pool.query<{ auth: string }>(
      `SELECT auth::text AS auth FROM webhook WHERE name = 'generic'`,
    );
    expect(rows[0]?.auth).not.toContain('secret word');
    expect(
      (await hatchet.webhooks.list({ webhookNames: ['slack', 'svix'], limit: 1 })).rows?.map((row) => row.name),
    ).toEqual(['slack']);
    expect(
      (await rest('GET', `/api/v1/stable/tenants/${hatchet.tenantId}/webhooks?sourceNames=STRIPE`)).body.rows,
    ).toMatchObject([{ name: 'stripe' }]);

    const updated = await hatchet.webhooks.update('generic', {
      eventKeyExpression: `'hook:changed'`,
      scopeExpression: 'input.region',
      staticPayload: { from: 'partner' },
    });
    expect(updated).toMatchObject({
      eventKeyExpression: `'hook:changed'`,
      scopeExpression: 'input.region',
      staticPayload: { from: 'partner' },
      returnEventAsResponsePayload: true,
    });
    const generic = sender('GENERIC');
    const { body } = await post('generic', { body: '{"region":"eu","from":"me"}', headers: generic.sign('') });
    expect(body.event).toMatchObject({ key: 'hook:changed', scope: 'eu', payload: { region: 'eu', from: 'partner' } });

    await hatchet.webhooks.delete('generic');
    await expect(hatchet.webhooks.get('generic')).rejects.toThrow('404');
    expect((await post('generic', { body: '{}', headers: generic.sign('') })).status).toBe(403);
  });

  it('lays the static payload over the body before its expressions are evaluated', async () => {
    await hatchet.webhooks.create(
      Object({
        name: 'merged',
        sourceName: 'GENERIC',
        eventKeyExpression: `'hook:' + input.kind`,
        scopeExpression: `input.region + '-' + input.from`,
        staticPayload: { kind: 'fixed', from: 'partner' },
        returnEventAsResponsePayload: true,
        auth: { headerName: 'X-Api-Key', apiKey: 'k1' },
      }),
    );
    const { body } = await post('merged', {
      body: '{"region":"eu","kind":"sent"}',
      headers: { 'x-api-key': 'k1' },
    });
    expect(body.event).toMatchObject({
      key: 'hook:fixed',
      scope: 'eu-partner',
      payload: { region: 'eu', kind: 'fixed', from: 'partner' },
    });
    await hatchet.webhooks.delete('merged');
  });

  it('an expression that fails answers so, stores nothing, and is seen at the webhook', async () => {
    await hatchet.webhooks.create(
      Object({
        name: 'keyed',
        sourceName: 'GENERIC',
        eventKeyExpression: 'input.kind',
        auth: { headerName: 'X-Api-Key', apiKey: 'k1' },
      }),
    );
    const [before, started] = [await events(), seen.length];
    const headers = { 'x-api-key': 'k1' };
    const failed = await post('keyed', { body: '{}', headers });
    expect([failed.status, failed.body.errors[0].description]).toEqual([
      400,
      expect.stringContaining('the event key expression "input.kind" failed'),
    ]);
    for (const body of ['{"kind":""}', '{"kind":7}', '[1]', 'nothing', ''])
      expect((await post('keyed', { body, headers })).status).toBe(400);
    expect((await post('keyed', { body: '{"kind":"x"}', headers: { 'x-api-key': 'k2' } })).status).toBe(403);
    expect(await events()).toBe(before);
    expect((await rest('GET', `/api/v1/stable/tenants/${hatchet.tenantId}/webhooks/keyed`)).body.lastError).toContain(
      'the event key expression "input.kind" failed',
    );
    expect((await post('keyed', { body: '{"kind":"hook:x"}', headers })).body).toEqual({ message: 'ok' });
    await expect.poll(() => seen.length).toBe(started + 1);
  });

  it.each(senders.filter(({ source }) => source !== 'GENERIC'))(
    '$source: a delivery that comes again is the event that it was',
    async ({ source, body, sign }) => {
      const name = source.toLowerCase();
      const text = JSON.stringify({ ...body, id: `evt_${crypto.randomUUID()}` });
      const headers = sign(text);
      const [before, started] = [await events(), seen.length];
      // At once, and later.
      const svix = source === 'SVIX' ? await post(name, { body: text, headers }) : undefined;
      if (svix !== undefined) {
        // The id is the sender's, and signed: it was used by the first test.
        expect(svix.body.event.payload).toEqual(body);
        expect([await events(), seen.length]).toEqual([before, started]);
        return;
      }
      const together = await Promise.all(Array.from({ length: 5 }, () => post(name, { body: text, headers })));
      const again = await post(name, {
        body: text,
        headers: { ...headers, 'x-github-delivery': 'changed', 'linear-delivery': 'changed' },
      });
      const ids = new Set([...together, again].map((answer) => answer.body.event.metadata.id));
      expect([...together, again].map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
      expect(ids.size).toBe(1);
      await expect.poll(() => seen.length).toBe(started + 1);
      expect(await events()).toBe(before + 1);
      // Another text is another event.
      const other = JSON.stringify({ ...body, id: `evt_${crypto.randomUUID()}` });
      expect(ids.has((await post(name, { body: other, headers: sign(other) })).body.event.metadata.id)).toBe(false);
      await expect.poll(() => seen.length).toBe(started + 2);
    },
  );

  it('a delivery that was not stored may come again; one of a password always', async () => {
    await hatchet.webhooks.create(
      Object({
        name: 'own',
        sourceName: 'GENERIC',
        eventKeyExpression: 'input.kind',
        returnEventAsResponsePayload: true,
        auth: { ...sha256Hex, signatureHeaderName: 'X-Signature', signingSecret: 'own secret' },
      }),
    );
    const body = '{"kind":"hook:own","n":1}';
    const headers = { 'x-signature': mac('own secret', body) };
    await hatchet.webhooks.update('own', { eventKeyExpression: 'input.missing' });
    expect((await post('own', { body, headers })).status).toBe(400);
    await hatchet.webhooks.update('own', { eventKeyExpression: 'input.kind' });
    const first = await post('own', { body, headers });
    expect(first.status).toBe(200);
    expect((await post('own', { body, headers })).body.event.metadata.id).toBe(first.body.event.metadata.id);
    // It runs out: what is not timed may be meant twice.
    await fixture.database.pool.query('UPDATE webhook_delivery SET expires_us = 0');
    expect((await post('own', { body, headers })).body.event.metadata.id).not.toBe(first.body.event.metadata.id);

    const before = await events();
    for (let time = 0; time < 3; time++)
      await post('keyed', { body: '{"kind":"hook:again"}', headers: { 'x-api-key': 'k1' } });
    expect(await events()).toBe(before + 3);
  });

  it('an expression that is too dear is evaluated elsewhere, for a large body too', async () => {
    await hatchet.webhooks.create(
      Object({
        name: 'dear',
        sourceName: 'GENERIC',
        eventKeyExpression: `input.s.matches(input.p) ? 'hook:dear' : 'none'`,
        returnEventAsResponsePayload: true,
        auth: { headerName: 'X-Api-Key', apiKey: 'k1' },
      }),
    );
    const answer = await post('dear', {
      body: JSON.stringify({ s: 'aaa', p: '^a+$', filler: 'x'.repeat(100_000) }),
      headers: { 'x-api-key': 'k1' },
    });
    expect(answer.body.event.key).toBe('hook:dear');
    const hostile = await post('dear', {
      body: JSON.stringify({ s: 'a', p: 'a'.repeat(40_000) }),
      headers: { 'x-api-key': 'k1' },
    });
    expect([hostile.status, hostile.body.errors[0].description]).toEqual([
      400,
      expect.stringContaining('the pattern has 40000 characters; up to 1024 are allowed'),
    ]);
  });
});
