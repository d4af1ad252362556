import { request as httpRequest } from 'node:http';
import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { Pool } from 'pg';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { webhookFixture } from '../helpers/webhook-fixture.ts';
import { mac, seconds, sender } from '../helpers/webhook-senders.ts';

const webhooks = webhookFixture('webhook-refusals');
const { fixture, seen, post, rest } = webhooks;
let hatchet: HatchetClient;
let strangerId: string;
let strangerToken: string;

beforeAll(async () => {
  ({ hatchet } = webhooks);
  ({ tenantId: strangerId, token: strangerToken } = await makeNeighbour(fixture.database.pool, fixture.dataDir));
  const keyed = {
    source: 'GENERIC',
    eventKeyExpression: 'input.kind',
    auth: { headerName: 'X-Api-Key', apiKey: 'k1' },
  };
  for (const [name, { source: sourceName, eventKeyExpression, auth }] of [
    ['stripe', sender('STRIPE')],
    ['slack', sender('SLACK')],
    ['keyed', keyed],
  ] as const)
    await hatchet.webhooks.create(Object({ name, sourceName, eventKeyExpression, auth }));
});

describe('a webhook', () => {
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
