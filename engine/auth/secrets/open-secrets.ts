import { exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Pool, PoolClient } from 'pg';
import { newId } from '../../model/ids/uuid.ts';
import { webhookRow, type HmacAuth } from '../webhooks/webhook.ts';
import { createMasterKey, missingKey, readMasterKeys, type KeySource } from './master-keys.ts';
import { Sealer, wrongKey } from './sealer.ts';

const keyLock = 7_077_700_004;

const sealedUnder = `
  SELECT DISTINCT split_part(sealed, ':', 2) AS id
  FROM (SELECT private_sealed AS sealed FROM signing_key UNION ALL SELECT auth ->> 'sealedSecret' FROM webhook) s
  WHERE sealed IS NOT NULL`;
/** In clear, or under another key than $1, which is one of ours. */
const staleSigningKeys = `SELECT id, private_jwk, private_sealed FROM signing_key WHERE retired_at IS NULL AND (private_sealed IS NULL OR split_part(private_sealed, ':', 2) <> $1)`;
const staleWebhooks = `SELECT id, auth FROM webhook WHERE auth ? 'signingSecret' OR split_part(auth ->> 'sealedSecret', ':', 2) <> $1`;
const sealSigningKeys = `
  UPDATE signing_key k SET private_sealed = n.sealed, private_jwk = NULL
  FROM unnest($1::text[], $2::text[]) AS n (id, sealed) WHERE k.id = n.id`;
const sealWebhooks = `
  UPDATE webhook w SET auth = (w.auth - 'signingSecret') || jsonb_build_object('sealedSecret', n.sealed)
  FROM unnest($1::uuid[], $2::text[]) AS n (id, sealed) WHERE w.id = n.id`;
export const insertSigningKey = `INSERT INTO signing_key (id, private_sealed, public_jwk) VALUES ($1, $2, $3)`;
/** Of an empty list ALL is true for what is null as well. */
const deleteSealed = `
  WITH lost_keys AS (DELETE FROM signing_key WHERE private_sealed IS NOT NULL AND split_part(private_sealed, ':', 2) <> ALL ($1::text[]) RETURNING 1),
    lost_webhooks AS (DELETE FROM webhook WHERE auth ? 'sealedSecret' AND split_part(auth ->> 'sealedSecret', ':', 2) <> ALL ($1::text[]) RETURNING 1)
  SELECT (SELECT count(*)::int FROM lost_keys) AS signing_keys, (SELECT count(*)::int FROM lost_webhooks) AS webhooks`;

/**
 * The sealer of a database, once all of its secrets are sealed under this engine's key: those that an earlier version left in
 * clear, and those of a key before an exchange. Engines that start at once do so one after the other.
 * @throws HatchetError SECRET_KEY_WRONG, SECRET_KEY_UNUSABLE
 */
export function openSecrets(pool: Pool, source: KeySource): Promise<Sealer> {
  return locked(pool, async (client) => {
    const { rows } = await client.query<{ id: string }>(sealedUnder);
    const ids = rows.map((row) => row.id);
    const known = readMasterKeys(source);
    // A key that is made now opens nothing.
    if (known === undefined && ids.length > 0) throw wrongKey(ids, undefined);
    if (known === undefined && source.mayCreate === false) throw missingKey(source);
    const sealer = new Sealer(known ?? createMasterKey(source.dataDir));
    const foreign = ids.filter((id) => !sealer.knows(id));
    if (foreign.length > 0) throw wrongKey(foreign, sealer.currentId);
    await sealStale(client, sealer);
    await ensureSigningKey(client, sealer);
    return sealer;
  });
}

export interface LostSecrets {
  signingKeys: number;
  webhooks: number;
}

/** Deletes what no key of this engine opens, for those who have lost the key. */
export function deleteForeignSecrets(pool: Pool, source: KeySource): Promise<LostSecrets> {
  return locked(pool, async (client) => {
    const keys = readMasterKeys(source) ?? [];
    const { rows } = await client.query<{ signing_keys: number; webhooks: number }>(deleteSealed, [
      keys.map((key) => key.id),
    ]);
    return { signingKeys: rows[0]?.signing_keys ?? 0, webhooks: rows[0]?.webhooks ?? 0 };
  });
}

async function locked<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1::bigint)', [keyLock]);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

interface StoredHmac extends Omit<HmacAuth, 'signingSecret'> {
  signingSecret?: string;
  sealedSecret?: string;
}

async function sealStale(client: PoolClient, sealer: Sealer): Promise<void> {
  const reseal = (clear: string | undefined, sealed: string | null | undefined, row: string): string =>
    sealer.seal(clear ?? sealer.open(sealed ?? '', row), row);
  const keys = (
    await client.query<{ id: string; private_jwk: JWK | null; private_sealed: string | null }>(staleSigningKeys, [
      sealer.currentId,
    ])
  ).rows;
  if (keys.length > 0) {
    const sealed = keys.map((key) =>
      reseal(
        key.private_jwk === null ? undefined : JSON.stringify(key.private_jwk),
        key.private_sealed,
        signingKeyRow(key.id),
      ),
    );
    await client.query(sealSigningKeys, [keys.map((key) => key.id), sealed]);
  }
  const webhooks = (await client.query<{ id: string; auth: StoredHmac }>(staleWebhooks, [sealer.currentId])).rows;
  if (webhooks.length > 0) {
    const sealed = webhooks.map(({ id, auth }) => reseal(auth.signingSecret, auth.sealedSecret, webhookRow(id)));
    await client.query(sealWebhooks, [webhooks.map((webhook) => webhook.id), sealed]);
  }
}

async function ensureSigningKey(client: PoolClient, sealer: Sealer): Promise<void> {
  const { rows } = await client.query('SELECT FROM signing_key WHERE retired_at IS NULL LIMIT 1');
  if (rows.length === 0) await client.query(insertSigningKey, await newSigningKey(sealer));
}

/** The values of a new row. */
export async function newSigningKey(sealer: Sealer): Promise<[id: string, sealed: string, publicJwk: JWK]> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const id = newId();
  return [id, sealer.seal(JSON.stringify(await exportJWK(privateKey)), signingKeyRow(id)), await exportJWK(publicKey)];
}

/** ES256: signing 0.1 ms, verifying 0.3 ms; the verified token is cached, so neither is on a task's path. */
export const algorithm = 'ES256';

/** What a signing key's private part is bound to. */
export function signingKeyRow(id: string): string {
  return `signing_key ${id}`;
}
