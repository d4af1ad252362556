import { exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import type { Pool } from 'pg';
import { newId } from '../model/uuid.ts';

/** ES256: signing 0.1 ms, verifying 0.3 ms; the verified token is cached, so neither is on a task's path. */
export const algorithm = 'ES256';
const keyLock = 7_077_700_004;

export interface SigningKey {
  id: string;
  privateKey: CryptoKey | Uint8Array;
  publicKey: CryptoKey | Uint8Array;
}

interface KeySqlRow {
  id: string;
  private_jwk: JWK;
  public_jwk: JWK;
}

async function read(pool: Pool): Promise<SigningKey[]> {
  const { rows } = await pool.query<KeySqlRow>('SELECT id, private_jwk, public_jwk FROM signing_key ORDER BY created_at DESC');
  return Promise.all(rows.map(async (row) => ({ id: row.id, privateKey: await importJWK(row.private_jwk, algorithm), publicKey: await importJWK(row.public_jwk, algorithm) })));
}

/** The keys, newest first; the first engine on a database makes one. They live in Postgres, so that replicas share them. */
export async function loadSigningKeys(pool: Pool): Promise<SigningKey[]> {
  const known = await read(pool);
  if (known.length > 0) return known;
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1::bigint)', [keyLock]);
    await client.query('INSERT INTO signing_key (id, private_jwk, public_jwk) SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM signing_key)', [newId(), await exportJWK(privateKey), await exportJWK(publicKey)]);
  } finally {
    await client.query('SELECT pg_advisory_unlock($1::bigint)', [keyLock]);
    client.release();
  }
  return read(pool);
}
