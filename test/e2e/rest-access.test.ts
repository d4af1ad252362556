import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { KeyRing } from '../../engine/auth/key-ring.ts';
import { Tokens } from '../../engine/auth/tokens.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { ensureTenant } from '../../engine/auth/tenants.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { restRequest } from '../helpers/rest-request.ts';

const fixture = engineFixture('rest-access');
let hatchet: HatchetClient;
let tenantId: string;
let stranger: { tenantId: string; token: string };

beforeAll(async () => {
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init({ token: fixture.engine.token, tls_config: { tls_strategy: 'none' } });
  tenantId = hatchet.tenantId;
  stranger = await makeNeighbour(fixture.database.pool, fixture.dataDir);
});

const statusWith = async (token: string): Promise<number> =>
  (await restRequest(fixture.engine, `/api/v1/tenants/${tenantId}`, { token })).status;
const listed = async () => (await hatchet.api.apiTokenList(tenantId)).data.rows ?? [];

describe('tokens over REST', () => {
  test('one is made, listed, leads to this engine, and is refused once it has been revoked', async () => {
    const { data } = await hatchet.api.apiTokenCreate(tenantId, { name: 'by rest', expiresIn: '24h' });
    expect(await statusWith(data.token)).toBe(200);
    const [made] = (await listed()).filter(({ name }) => name === 'by rest');
    expect(Date.parse(made?.expiresAt ?? '') - Date.now()).toBeGreaterThan(23 * 3_600_000);
    const other = HatchetClient.init({ token: data.token, tls_config: { tls_strategy: 'none' } });
    expect(await other.tenant.get()).toMatchObject({ metadata: { id: tenantId } });
    const id = made?.metadata.id ?? '';
    const audit = await restRequest(fixture.engine, `/api/v1/tenants/${tenantId}/audit?id=${id}`, fixture);
    expect(audit.body).toMatchObject({ rows: [{ action: 'POST /api/v1/tenants/:tenant/api-tokens', outcome: 'OK' }] });
    expect((await hatchet.api.apiTokenUpdateRevoke(id)).status).toBe(204);
    await expect.poll(() => statusWith(data.token)).toBe(401);
    expect((await listed()).map(({ name }) => name)).not.toContain('by rest');
  });

  test('what is wrong with a request is said', async () => {
    const path = `/api/v1/tenants/${tenantId}/api-tokens`;
    const bodies = [
      {},
      { name: '' },
      { name: 'x'.repeat(256) },
      { name: 'a', expiresIn: 'soon' },
      { name: 'a', expiresIn: '1s' },
      { name: 'a', expiresIn: 3 },
    ];
    for (const body of bodies)
      expect((await restRequest(fixture.engine, path, { token: fixture.token, method: 'POST', body })).status).toBe(
        400,
      );
    for (const id of ['x', newId()])
      expect(
        (await restRequest(fixture.engine, `/api/v1/api-tokens/${id}`, { token: fixture.token, method: 'POST' }))
          .status,
      ).toBe(404);
  });

  test('only admins see and change them, and those of their own tenant alone', async () => {
    const path = `/api/v1/tenants/${tenantId}/api-tokens`;
    const { pool } = fixture.database;
    const viewer = await new Tokens(pool, await KeyRing.open(pool, { dataDir: fixture.dataDir })).create({
      tenantId: (await ensureTenant(pool, 'default')).id,
      name: 'viewer',
      role: 'worker',
      addresses: { serverUrl: 'http://127.0.0.1:1', grpcBroadcastAddress: '127.0.0.1:1' },
    });
    const [own] = await listed();
    const revoke = `/api/v1/api-tokens/${own?.metadata.id ?? ''}`;
    for (const [method, asked] of [
      ['GET', path],
      ['POST', path],
      ['POST', revoke],
    ] as const)
      expect(
        (await restRequest(fixture.engine, asked, { token: viewer, method, body: method === 'GET' ? undefined : {} }))
          .status,
      ).toBe(403);
    const { token } = stranger;
    expect((await restRequest(fixture.engine, path, { token })).status).toBe(404);
    expect((await restRequest(fixture.engine, revoke, { token, method: 'POST' })).status).toBe(404);
    expect((await listed()).map(({ metadata }) => metadata.id)).toContain(own?.metadata.id);
  });

  test('there are no members', async () => {
    expect((await hatchet.api.tenantMemberList(tenantId)).data).toMatchObject({ rows: [] });
  });
});
