import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openTokenAdministration } from '../../../engine/administration/token-administration.ts';
import { KeyRing } from '../../../engine/auth/key-ring.ts';
import { deleteForeignSecrets, openSecrets } from '../../../engine/auth/secrets/open-secrets.ts';
import { ensureTenant } from '../../../engine/auth/tenants.ts';
import { createLog } from '../../../engine/base/log.ts';
import { TenantLimits } from '../../../engine/auth/tenant-limits.ts';
import { Tokens } from '../../../engine/auth/tokens.ts';
import { WebhookStore } from '../../../engine/auth/webhooks/webhook-store.ts';
import type { Webhook, WebhookAuth } from '../../../engine/auth/webhooks/webhook.ts';
import { digestSecret } from '../../../engine/auth/webhooks/secret-digest.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { databaseForTest, type DatabaseFixture } from '../../helpers/database-fixture.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';

const addresses = { serverUrl: 'http://127.0.0.1:8888', grpcBroadcastAddress: '127.0.0.1:7077' };
const secret = 'whsec-that-nobody-may-see';
const hmac = {
  type: 'HMAC',
  algorithm: 'SHA256',
  encoding: 'HEX',
  signatureHeaderName: 'x-signature',
  signingSecret: secret,
} as const;

let folder: string;
let database: DatabaseFixture;
let pool: Pool;
let limits: TenantLimits;
let tenantId: TenantId;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hatchet-secrets-'));
  database = await databaseForTest({ from: 'migrated' });
  ({ pool } = database);
  limits = new TenantLimits(pool, createLog('silent'));
  tenantId = (await ensureTenant(pool, 'default')).id;
});

afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const webhook = (name: string, auth: WebhookAuth): Webhook => ({
  id: newId(),
  tenantId,
  name,
  source: 'GENERIC',
  eventKeyExpression: "'k'",
  scopeExpression: null,
  staticPayload: null,
  returnsEvent: false,
  auth,
});

/** All rows of all tables, as a dump has them. */
async function dump(): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const tables = await Promise.all(
    rows.map(async ({ name }) =>
      (await pool.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)).rows.map(({ row }) => row).join('\n'),
    ),
  );
  expect(tables.join('')).toContain(tenantId);
  return tables.join('\n');
}

/** A database as the version before left it. */
async function makeClear(): Promise<{ token: string; webhookName: string; d: string }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const id = newId();
  const jwk = await exportJWK(privateKey);
  await pool.query('INSERT INTO signing_key (id, private_jwk, public_jwk) VALUES ($1, $2, $3)', [
    id,
    jwk,
    await exportJWK(publicKey),
  ]);
  const tokenId = newId();
  await pool.query(
    `INSERT INTO token (id, tenant_id, name, expires_at) VALUES ($1, $2, 'old', now() + interval '1 day')`,
    [tokenId, tenantId],
  );
  const token = await new SignJWT({ token_id: tokenId })
    .setProtectedHeader({ alg: 'ES256', kid: id })
    .setIssuer('hatchet-ts')
    .setSubject(tenantId)
    .setExpirationTime('1d')
    .sign(privateKey);
  await pool.query(
    `INSERT INTO webhook (id, tenant_id, name, source, event_key_expression, returns_event, auth) VALUES ($1, $2, 'old', 'GENERIC', $3, false, $4)`,
    [newId(), tenantId, "'k'", hmac],
  );
  return { token, webhookName: 'old', d: String(jwk.d) };
}

test('a dump holds no secret in clear: of keys, tokens and webhooks', async () => {
  const sealer = await openSecrets(pool, { dataDir: folder });
  const ring = await KeyRing.read(pool, sealer);
  const store = new WebhookStore(pool, { limits, sealer });
  const tokens = new Tokens(pool, ring);
  const made = await Promise.all([1, 2, 3].map(() => tokens.create({ tenantId, name: 'any', addresses })));
  await ring.rotate();
  await store.create(webhook('hmac', hmac));
  await store.create(webhook('basic', { type: 'BASIC', username: 'u', password: digestSecret(secret) }));
  await store.create(webhook('key', { type: 'API_KEY', headerName: 'x-key', apiKey: digestSecret(secret) }));
  const text = await dump();
  for (const hidden of [
    secret,
    Buffer.from(secret).toString('base64'),
    ...made,
    ...made.map((token) => token.split('.')[2] ?? ''),
    readFileSync(join(folder, 'secret.key'), 'utf8').trim(),
  ])
    expect(text).not.toContain(hidden);
  expect(text).not.toMatch(/"d"/); // the private part of a key
  expect((await store.find(tenantId, 'hmac'))?.auth).toEqual(hmac);
  expect(statSync(join(folder, 'secret.key')).mode & 0o777).toBe(0o600);
});

test('what a version before left in clear is sealed once, by engines that start at once, and stays good', async () => {
  const { token, webhookName, d } = await makeClear();
  expect(await dump()).toContain(d);
  const sealers = await Promise.all([1, 2, 3].map(() => openSecrets(pool, { dataDir: folder })));
  const sealed = await dump();
  for (const hidden of [secret, d, '"d"']) expect(sealed).not.toContain(hidden);
  for (const sealer of sealers) {
    expect(await new Tokens(pool, await KeyRing.read(pool, sealer)).authenticate(token)).toMatchObject({ tenantId });
    expect((await new WebhookStore(pool, { limits, sealer }).find(tenantId, webhookName))?.auth).toEqual(hmac);
  }
  // The token's use has been noted meanwhile.
  const used = await dump();
  await openSecrets(pool, { dataDir: folder });
  expect(await dump()).toBe(used);
});

test('an engine with another key, or none, is refused, changes nothing and makes no key', async () => {
  await makeClear();
  await openSecrets(pool, { dataDir: folder });
  const open = webhook('basic', { type: 'BASIC', username: 'u', password: digestSecret(secret) });
  await new WebhookStore(pool, { limits, sealer: await openSecrets(pool, { dataDir: folder }) }).create(open);
  const before = await dump();
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere, { mode: 0o700 });
  const wrong = {
    code: 'SECRET_KEY_WRONG',
    message: expect.stringContaining('sealed under the key'),
    remedy: expect.stringContaining('secret.key'),
  };
  await expect(openSecrets(pool, { dataDir: elsewhere })).rejects.toMatchObject(wrong);
  expect(existsSync(join(elsewhere, 'secret.key'))).toBe(false);
  vi.stubEnv('HATCHET_ENGINE_SECRET_KEY', randomBytes(32).toString('hex'));
  await expect(openSecrets(pool, { dataDir: folder })).rejects.toMatchObject(wrong);
  vi.unstubAllEnvs();
  expect(await dump()).toBe(before);
  // Those who have lost the key start afresh.
  expect(await deleteForeignSecrets(pool, { dataDir: elsewhere })).toEqual({ signingKeys: 1, webhooks: 1 });
  const store = new WebhookStore(pool, { limits, sealer: await openSecrets(pool, { dataDir: elsewhere }) });
  expect(
    (await store.list(tenantId, { sources: [], names: [], offset: 0, limit: 10 })).map(({ name }) => name),
  ).toEqual(['basic']);
});

test('whoever only administers a database makes no key for it, but lists and revokes without one', async () => {
  const source = { dataDir: folder, mayCreate: false };
  const administration = await openTokenAdministration(database.url, source);
  try {
    await expect(
      administration.create({ name: 'any', role: 'admin', expiresAt: new Date(Date.now() + 86_400_000), addresses }),
    ).rejects.toMatchObject({ code: 'SECRET_KEY_UNUSABLE', remedy: expect.stringContaining('Start the engine first') });
    expect(existsSync(join(folder, 'secret.key'))).toBe(false);
    expect(await administration.list()).toEqual([]);
    expect(await administration.listKeys()).toEqual([]);
    expect(await administration.revoke(newId())).toBe(false);
  } finally {
    await administration.stop();
  }
});

test.each([
  ['an empty file', ''],
  ['too short a key', randomBytes(16).toString('base64')],
  ['text', 'my secret'],
])('%s is no key', async (_what, text) => {
  const secretKeyFile = join(folder, 'given.key');
  writeFileSync(secretKeyFile, text);
  await expect(openSecrets(pool, { dataDir: folder, secretKeyFile })).rejects.toMatchObject({
    code: 'SECRET_KEY_UNUSABLE',
    remedy: expect.stringContaining('openssl'),
  });
  await expect(openSecrets(pool, { dataDir: folder, secretKeyFile: join(folder, 'none') })).rejects.toMatchObject({
    code: 'SECRET_KEY_UNUSABLE',
  });
});

test('the master key can be exchanged: what the older one sealed is sealed anew, and then the older one can go', async () => {
  const [older, newer] = [randomBytes(32).toString('base64'), randomBytes(32).toString('hex')];
  const secretKeyFile = join(folder, 'given.key');
  const open = (...keys: string[]) => (
    writeFileSync(secretKeyFile, `${keys.join('\n')}\n`),
    openSecrets(pool, { dataDir: folder, secretKeyFile })
  );
  const first = await open(older);
  await new WebhookStore(pool, { limits, sealer: first }).create(webhook('hmac', hmac));
  const token = await new Tokens(pool, await KeyRing.read(pool, first)).create({ tenantId, name: 'any', addresses });
  await open(newer, older);
  await expect(open(older)).rejects.toMatchObject({ code: 'SECRET_KEY_WRONG' });
  const last = await open(newer);
  expect((await new WebhookStore(pool, { limits, sealer: last }).find(tenantId, 'hmac'))?.auth).toEqual(hmac);
  const tokens = new Tokens(pool, await KeyRing.read(pool, last));
  expect(await tokens.authenticate(token)).toMatchObject({ tenantId });
  await tokens.create({ tenantId, name: 'any', addresses });
});

test('a new signing key is known to engines that run; one that is retired ends its tokens, also those in use', async () => {
  const source = { dataDir: folder };
  const administration = await KeyRing.open(pool, source);
  const engine = new Tokens(pool, await KeyRing.open(pool, source));
  const old = await engine.create({ tenantId, name: 'old', addresses });
  await engine.authenticate(old);
  const { id: oldKey } = await administration.signer();
  // Keys are read again at most once a second, however many tokens of unknown keys come.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2_000 });
  const key = await administration.rotate();
  const fresh = await new Tokens(pool, administration).create({ tenantId, name: 'new', addresses });
  expect(decodeProtectedHeader(fresh).kid).toBe(key);
  expect(await engine.authenticate(fresh)).toMatchObject({ tenantId });
  expect(await engine.authenticate(old)).toMatchObject({ tenantId });
  expect(await administration.list()).toMatchObject([
    { id: key, signs: true, tokens: 1, retiredAt: null },
    { id: oldKey, signs: false, tokens: 1, retiredAt: null },
  ]);
  expect(await administration.retire(key)).toBe(false); // it signs
  expect(await administration.retire(oldKey)).toBe(true);
  expect(await administration.retire(oldKey)).toBe(false);
  vi.setSystemTime(Date.now() + 5_001);
  await expect(engine.authenticate(old)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await engine.authenticate(fresh)).toMatchObject({ tenantId });
  expect(await dump()).not.toMatch(/"d"/);
});

test('tokens of invented keys have the keys read once a second at most', async () => {
  const tokens = new Tokens(pool, await KeyRing.open(pool, { dataDir: folder }));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2_000 });
  const query = vi.spyOn(pool, 'query');
  const { privateKey } = await generateKeyPair('ES256');
  for (let n = 0; n < 20; n++) {
    const invented = await new SignJWT({ token_id: newId() })
      .setProtectedHeader({ alg: 'ES256', kid: newId() })
      .setIssuer('hatchet-ts')
      .setSubject(tenantId)
      .setExpirationTime('1d')
      .sign(privateKey);
    await expect(tokens.authenticate(invented)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  }
  expect(query).toHaveBeenCalledTimes(1);
});
