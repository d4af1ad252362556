import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

type CreateWebhook = Parameters<HatchetClient['webhooks']['create']>[0];
type Source = CreateWebhook['sourceName'];

const fixture = engineFixture('webhooks');
let hatchet: HatchetClient;
let worker: Awaited<ReturnType<HatchetClient['worker']>>;
let strangerId: string;
let strangerToken: string;
/** What the runs of the listener were given. */
const seen: unknown[] = [];

interface Answer {
  status: number;
  body: ReturnType<typeof Object>;
}

async function post(
  name: string,
  options: { body: string; headers?: Record<string, string>; tenant?: string },
): Promise<Answer> {
  const response = await fetch(
    `http://127.0.0.1:${fixture.engine.http.port}/api/v1/stable/tenants/${options.tenant ?? hatchet.tenantId}/webhooks/${name}`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...options.headers },
      body: options.body,
    },
  );
  return { status: response.status, body: Object(await response.json()) };
}

async function rest(method: string, path: string, options: { body?: unknown; token?: string } = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${fixture.engine.http.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${options.token ?? fixture.engine.token}` },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  return { status: response.status, body: Object(await response.json()) };
}

async function events(): Promise<number> {
  const { rows } = await fixture.database.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM event');
  return rows[0]?.n ?? -1;
}

function mac(secret: string | Buffer, text: string, encoding: 'hex' | 'base64' = 'hex'): string {
  return createHmac('sha256', secret).update(text).digest(encoding);
}

const seconds = (): string => String(Math.floor(Date.now() / 1000));
const sha256Hex = { algorithm: 'SHA256', encoding: 'HEX' } as const;

/** How each source signs, by its own documentation. */
const senders: {
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

function sender(source: `${Source}`): (typeof senders)[number] {
  const found = senders.find((each) => each.source === source);
  if (found === undefined) throw new Error(`no sender ${source}`);
  return found;
}

beforeAll(async () => {
  ({ tenantId: strangerId, token: strangerToken } = await makeNeighbour(fixture.database.pool, fixture.dataDir));
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init({ token: fixture.engine.token, tls_config: { tls_strategy: 'none' } });
  const listener = hatchet.task({
    name: 'listener',
    onEvents: ['hook:*'],
    fn: (input: object) => {
      seen.push(input);
      return {};
    },
  });
  worker = await hatchet.worker('webhooks', { workflows: [listener], handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
});

afterAll(async () => {
  await worker.stop();
});

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

  it('an expression that fails answers so, stores nothing, and is seen at the webhook', async () => {
    await hatchet.webhooks.create(
      Object({
        name: 'keyed',
        sourceName: 'GENERIC',
        eventKeyExpression: 'input.kind',
        auth: { headerName: 'X-Api-Key', apiKey: 'k1' },
      }),
    );
    const before = await events();
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
  });

  it('a body over the limit is refused before it is read whole', async () => {
    const url = `http://127.0.0.1:${fixture.engine.http.port}/api/v1/stable/tenants/${hatchet.tenantId}/webhooks/keyed`;
    // The head promises 5 MiB, of which nothing is ever sent.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = httpRequest(
        url,
        { method: 'POST', headers: { 'content-length': 5 * 1024 * 1024, 'x-api-key': 'k1' } },
        (response) => {
          resolve(response.statusCode);
          call.destroy();
        },
      );
      call.on('error', reject);
      call.flushHeaders();
    });
    expect(status).toBe(413);
    // Without a length, as soon as it is too much: the end is never sent.
    const chunked = await new Promise<number | undefined>((resolve, reject) => {
      const call = httpRequest(
        url,
        { method: 'POST', headers: { 'x-api-key': 'k1', 'transfer-encoding': 'chunked' } },
        (response) => {
          resolve(response.statusCode);
          call.destroy();
        },
      );
      call.on('error', reject);
      call.write(Buffer.alloc(4 * 1024 * 1024 + 1, 0x20));
    });
    expect(chunked).toBe(413);
  });

  it('a tenant has its own webhooks alone, by token and by address', async () => {
    const foreign = `/api/v1/stable/tenants/${strangerId}/webhooks`;
    expect((await rest('GET', foreign)).status).toBe(404);
    expect((await rest('GET', foreign, { token: strangerToken })).body.rows).toEqual([]);
    for (const method of ['GET', 'DELETE', 'PATCH'])
      expect(
        (await rest(method, `${foreign}/slack`, { token: strangerToken, ...(method === 'PATCH' ? { body: {} } : {}) }))
          .status,
      ).toBe(404);
    expect(
      (await rest('GET', `/api/v1/stable/tenants/${hatchet.tenantId}/webhooks/slack`, { token: strangerToken })).status,
    ).toBe(404);
    const unknown = await post('keyed', {
      body: '{"kind":"x"}',
      headers: { 'x-api-key': 'k1' },
      tenant: crypto.randomUUID(),
    });
    const wrongTenant = await post('keyed', {
      body: '{"kind":"x"}',
      headers: { 'x-api-key': 'k1' },
      tenant: strangerId,
    });
    expect(wrongTenant).toEqual(unknown);
    expect(unknown.status).toBe(403);
    expect(
      (
        await fetch(
          `http://127.0.0.1:${fixture.engine.http.port}/api/v1/stable/tenants/${hatchet.tenantId}/webhooks/slack`,
        )
      ).status,
    ).toBe(401);
    // The same name, for another tenant.
    const made = await rest('POST', foreign, {
      token: strangerToken,
      body: {
        name: 'keyed',
        sourceName: 'GENERIC',
        eventKeyExpression: '"hook:theirs"',
        authType: 'API_KEY',
        auth: { headerName: 'x', apiKey: 'y' },
      },
    });
    expect(made.body).toMatchObject({ name: 'keyed', tenantId: strangerId });
    const started = seen.length;
    expect((await post('keyed', { body: '{}', headers: { x: 'y' }, tenant: strangerId })).status).toBe(200);
    expect((await post('keyed', { body: '{"kind":"x"}', headers: { x: 'y' } })).status).toBe(403);
    expect(seen.length).toBe(started);
  });

  it('names to strangers nothing that exists: one answer for an unknown webhook, an unknown tenant and a wrong sender', async () => {
    const stripe = sender('STRIPE');
    const signed = (text: string): Record<string, string> => ({
      'stripe-signature': `t=${seconds()},v1=${mac('guessed', text)}`,
    });
    const tries = [
      {},
      { 'x-api-key': 'k2' },
      { authorization: 'Basic YTpi' },
      signed('{}'),
      { ...stripe.sign('{}'), 'stripe-signature': `t=1,v1=${mac('whsec_stripe', '1.{}')}` },
    ];
    const answers = new Set<string>();
    for (const headers of tries) {
      for (const [name, tenant] of [
        ['stripe'],
        ['keyed'],
        ['nothing'],
        ['stripe', crypto.randomUUID()],
        ['stripe', 'no-uuid'],
        ['x'.repeat(300)],
      ] as const)
        answers.add(
          JSON.stringify(await post(name, { body: '{}', headers, ...(tenant === undefined ? {} : { tenant }) })),
        );
    }
    expect([...answers].map((answer): unknown => JSON.parse(answer))).toEqual([
      {
        status: 403,
        body: {
          errors: [
            {
              code: 'WEBHOOK_REFUSED',
              description: expect.stringContaining(
                'there is no such webhook, or its credentials are missing, wrong or too old',
              ),
            },
          ],
        },
      },
    ]);
  });

  it('is not held up by strangers: a header of thousands of signatures, bodies without an end', async () => {
    const body = 'x'.repeat(4 * 1024 * 1024);
    const header = `t=${seconds()},${'v1=,'.repeat(2600)}`;
    expect((await post('stripe', { body, headers: { 'stripe-signature': header } })).status).toBe(403);
    // Answered while the body still comes: nothing of it is waited for.
    const url = `http://127.0.0.1:${fixture.engine.http.port}/api/v1/stable/tenants/${hatchet.tenantId}/webhooks`;
    const open = (name: string, headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const call = httpRequest(
          `${url}/${name}`,
          { method: 'POST', headers: { ...headers, 'transfer-encoding': 'chunked' } },
          (response) => {
            resolve(response.statusCode);
            call.destroy();
          },
        );
        call.on('error', reject);
        call.write('{');
      });
    for (const name of ['stripe', 'nothing', 'keyed']) expect(await open(name, {})).toBe(403);
    for (const name of ['stripe', 'nothing']) expect(await open(name, { 'stripe-signature': header })).toBe(403);
  });

  it('a flood of refusals costs a statement now and then', async () => {
    const statements = vi.spyOn(Pool.prototype, 'query');
    await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        post(index % 2 === 0 ? 'stripe' : `nothing-${index % 50}`, { body: '{}' }),
      ),
    );
    expect(statements.mock.calls.length).toBeLessThan(100);
    const asked = statements.mock.calls.map(([query]): unknown => Object(query).name);
    expect(asked.filter((name) => name === 'webhook_refused').length).toBeLessThanOrEqual(1);
    statements.mockRestore();
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

  it('what cannot be right is refused when it is made', async () => {
    const base = {
      name: 'n',
      sourceName: 'GENERIC',
      eventKeyExpression: '"x"',
      authType: 'API_KEY',
      auth: { headerName: 'x', apiKey: 'y' },
    };
    const hmac = { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'x', signingSecret: 's' };
    const bad = [
      { ...base, name: 'slack' },
      { ...base, name: 'a/b' },
      { ...base, sourceName: 'OTHER' },
      { ...base, eventKeyExpression: 'input.' },
      { ...base, scopeExpression: '(' },
      { ...base, staticPayload: [] },
      { ...base, authType: 'BASIC' },
      { ...base, authType: 'NONE' },
      { ...base, auth: { headerName: 'x y', apiKey: 'y' } },
      { ...base, sourceName: 'STRIPE' },
      { ...base, authType: 'HMAC', auth: { ...hmac, algorithm: 'SHA3' } },
      { ...base, sourceName: 'SLACK', authType: 'HMAC', auth: { ...hmac, algorithm: 'SHA1' } },
      {
        ...base,
        sourceName: 'SVIX',
        authType: 'HMAC',
        auth: { ...hmac, encoding: 'BASE64', signingSecret: 'not base64!' },
      },
    ];
    for (const body of bad)
      expect([
        body,
        (await rest('POST', `/api/v1/stable/tenants/${hatchet.tenantId}/webhooks`, { body })).status,
      ]).toEqual([body, 400]);
  });
});
