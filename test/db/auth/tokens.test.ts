import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { ensureLocalToken } from '../../../engine/auth/local-token.ts';
import { KeyRing } from '../../../engine/auth/key-ring.ts';
import { ensureTenant, readTenant, type Tenant } from '../../../engine/auth/tenants.ts';
import { Tokens } from '../../../engine/auth/tokens.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';

const addresses = { serverUrl: 'http://127.0.0.1:8888', grpcBroadcastAddress: '127.0.0.1:7077' };
const refused = { name: 'HatchetError', code: 'UNAUTHENTICATED', message: 'the token is not valid here' };

const secretDir = mkdtempSync(join(tmpdir(), 'hatchet-keys-'));
const database = databaseFixture({ from: 'migrated' });
let pool: Pool;
let tokens: Tokens;
let tenant: Tenant;

beforeAll(async () => {
  ({ pool } = database);
  pool.on('error', () => undefined);
  // Several engines on a fresh database at once make one key and one tenant.
  const rings = await Promise.all([1, 2, 3, 4].map(() => KeyRing.open(pool, { dataDir: secretDir })));
  expect(new Set(await Promise.all(rings.map(async (ring) => (await ring.signer()).id))).size).toBe(1);
  expect(await rings[0]?.list()).toHaveLength(1);
  const tenants = await Promise.all([1, 2, 3, 4].map(() => ensureTenant(pool, 'default')));
  expect(new Set(tenants.map((tenant) => tenant.id)).size).toBe(1);
  tokens = await freshTokens();
  tenant = await ensureTenant(pool, 'default');
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

afterAll(async () => {
  rmSync(secretDir, { recursive: true });
});

async function create(expiresInDays?: number): Promise<string> {
  return tokens.create({ tenantId: tenant.id, name: 'test', expiresInDays, addresses });
}

/** Another engine's view: nothing cached. */
async function freshTokens(): Promise<Tokens> {
  return new Tokens(pool, await KeyRing.open(pool, { dataDir: secretDir }));
}

test('a token carries what clients read, and is accepted by every engine of the database', async () => {
  const token = await create(7);
  const claims = decodeJwt(token);
  expect(claims).toMatchObject({
    sub: tenant.id,
    server_url: addresses.serverUrl,
    grpc_broadcast_address: addresses.grpcBroadcastAddress,
  });
  expect(claims.exp).toBeCloseTo(Date.now() / 1000 + 7 * 86_400, -1);
  const identity = await (await freshTokens()).authenticate(token);
  expect(identity).toMatchObject({ tenantId: tenant.id, tokenId: claims['token_id'] });
  expect(await readTenant(pool, tenant.id)).toEqual(tenant);
});

test('what is no token of ours is refused, always in the same words', async () => {
  const good = await create();
  const [header = '', payload = '', signature = ''] = good.split('.');
  const claims = decodeJwt(good);
  const { kid = '' } = decodeProtectedHeader(good);
  const { privateKey } = await generateKeyPair('ES256');
  const sign = (claims: Record<string, unknown>, header: { alg: string; kid: string }): Promise<string> =>
    new SignJWT(claims).setProtectedHeader(header).sign(privateKey);
  const secret = new TextEncoder().encode('a secret that an attacker chose, of length');
  const forged = [
    '',
    'nonsense',
    'a.b.c',
    `${header}.${payload}.`,
    `${header}.${payload}.${signature.split('').reverse().join('')}`,
    `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: newId() })).toString('base64url')}.${signature}`,
    await sign(claims, { alg: 'ES256', kid }),
    await sign(claims, { alg: 'ES256', kid: 'another' }),
    await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid }).sign(secret),
    new UnsecuredJWT(claims).encode(),
    `${Buffer.from(JSON.stringify({ alg: 'none', kid })).toString('base64url')}.${payload}.`,
  ];
  for (const token of forged) await expect(tokens.authenticate(token)).rejects.toMatchObject(refused);
});

test('an expired token is refused, also one that was cached', async () => {
  await expect(tokens.authenticate(await create(-1))).rejects.toMatchObject(refused);
  const token = await create(1);
  await tokens.authenticate(token);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 + 1_000 });
  expect(tokens.cached(token)).toBeUndefined();
  await expect(tokens.authenticate(token)).rejects.toMatchObject(refused);
});

test('a revoked token is refused at once here, within seconds by other engines', async () => {
  const token = await create();
  const elsewhere = await freshTokens();
  const { tokenId } = await tokens.authenticate(token);
  await elsewhere.authenticate(token);
  expect(await tokens.revoke(newTenantId(), tokenId)).toBe(false);
  expect(await tokens.revoke(tenant.id, tokenId)).toBe(true);
  await expect(tokens.authenticate(token)).rejects.toMatchObject(refused);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5_001 });
  await expect(elsewhere.authenticate(token)).rejects.toMatchObject(refused);
  const listed = (await tokens.list(tenant.id)).find((row) => row.id === tokenId);
  expect(listed?.revokedAt).toBeInstanceOf(Date);
  expect(await tokens.list(newTenantId())).toEqual([]);
});

test('a thousand calls at once ask Postgres once; later ones not at all', async () => {
  const token = await create();
  const elsewhere = await freshTokens();
  const query = vi.spyOn(pool, 'query');
  await Promise.all(Array.from({ length: 1_000 }, () => elsewhere.authenticate(token)));
  expect(query).toHaveBeenCalledTimes(1);
  await elsewhere.authenticate(token);
  expect(query).toHaveBeenCalledTimes(1);
});

test('a check that runs into a migration waits for it, though Postgres breaks their deadlock at the cost of the check', async () => {
  const token = await create(1);
  const checking = await freshTokens();
  const migration = await pool.connect();
  try {
    // It waits longer than the check before it looks for a deadlock: so it is the check that is ended.
    await migration.query(`BEGIN; SET LOCAL deadlock_timeout = '60s'; LOCK TABLE tenant IN ACCESS EXCLUSIVE MODE`);
    const before = await deadlocks();
    const checked = checking.authenticate(token);
    await expect.poll(() => waitingFor('tenant')).toBe(1);
    await migration.query('LOCK TABLE token IN ACCESS EXCLUSIVE MODE');
    await migration.query('COMMIT');
    expect(await checked).toMatchObject({ tenantId: tenant.id });
    await expect.poll(deadlocks).toBe(before + 1);
  } finally {
    migration.release(true);
  }
});

async function waitingFor(table: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'SELECT count(*)::integer FROM pg_locks WHERE relation = $1::regclass AND NOT granted',
    [table],
  );
  return rows[0]?.count ?? 0;
}

async function deadlocks(): Promise<number> {
  const { rows } = await pool.query<{ deadlocks: number }>(
    'SELECT deadlocks::integer FROM pg_stat_database WHERE datname = current_database()',
  );
  return rows[0]?.deadlocks ?? 0;
}

test('while Postgres is away, a known token is still good and an unknown one is not', async () => {
  const [known, unknown] = [await create(), await create()];
  const leaving = new Pool({ connectionString: database.url });
  const elsewhere = new Tokens(leaving, await KeyRing.open(leaving, { dataDir: secretDir }));
  await elsewhere.authenticate(known);
  await leaving.end();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5_001 });
  expect((await elsewhere.authenticate(known)).tenantId).toBe(tenant.id);
  await expect(elsewhere.authenticate(unknown)).rejects.not.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('the data folder’s token: 0600, kept while it is good, made anew when addresses change, it is revoked or damaged', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hatchet-token-'));
  try {
    const options = { dataDir, tenantId: tenant.id, addresses };
    const first = await ensureLocalToken(tokens, options);
    const path = join(dataDir, 'token');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8').trim()).toBe(first);
    expect(await ensureLocalToken(tokens, options)).toBe(first);
    const moved = await ensureLocalToken(tokens, {
      ...options,
      addresses: { ...addresses, grpcBroadcastAddress: '127.0.0.1:7078' },
    });
    expect(moved).not.toBe(first);
    await tokens.revoke(tenant.id, (await tokens.authenticate(moved)).tokenId);
    const again = await ensureLocalToken(tokens, options);
    expect(again).not.toBe(moved);
    writeFileSync(path, 'damaged');
    expect(await ensureLocalToken(tokens, options)).not.toBe(again);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
