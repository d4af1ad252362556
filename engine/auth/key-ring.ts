import { importJWK, type CryptoKey, type JWK } from 'jose';
import type { Pool } from 'pg';
import { HatchetError } from '../base/errors.ts';
import { insertSigningKey, newSigningKey, openSecrets, algorithm, signingKeyRow } from './secrets/open-secrets.ts';
import type { KeySource } from './secrets/master-keys.ts';
import type { Sealer } from './secrets/sealer.ts';

/** Tokens of unknown keys have the keys read again, at most so often: strangers can invent key ids. */
const rereadMs = 1_000;

const readKeys = `SELECT id, private_sealed, public_jwk FROM signing_key WHERE retired_at IS NULL ORDER BY created_at DESC, id DESC`;
const listKeys = `
  SELECT k.id, k.created_at, k.retired_at,
    (SELECT count(*)::int FROM token t WHERE t.key_id = k.id AND t.revoked_at IS NULL AND t.expires_at > now()) AS tokens
  FROM signing_key k ORDER BY k.created_at DESC, k.id DESC`;
/** Not the newest, which signs. Its private part goes: nothing is to be signed by it ever again. */
const retireKey = `
  UPDATE signing_key SET retired_at = now(), private_sealed = NULL, private_jwk = NULL
  WHERE id = $1 AND retired_at IS NULL AND id <> (SELECT id FROM signing_key WHERE retired_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1)`;

interface KeySqlRow {
  id: string;
  private_sealed: string | null;
  public_jwk: JWK;
}

export interface SigningKeyInfo {
  id: string;
  createdAt: Date;
  retiredAt: Date | null;
  /** Whether new tokens are signed with it. */
  signs: boolean;
  /** Of its tokens, those that are neither revoked nor expired. */
  tokens: number;
}

/** The keys that sign and check tokens. They live in Postgres, so that engines share them, and a new one needs no restart. */
export class KeyRing {
  readonly #pool: Pool;
  readonly #sealer: Sealer | undefined;
  #keys: readonly SigningKey[] = [];
  #readAtMs = 0;
  #reading: Promise<void> | undefined;

  private constructor(pool: Pool, sealer: Sealer | undefined) {
    this.#pool = pool;
    this.#sealer = sealer;
  }

  /** @param sealer without one it checks and lists, and signs nothing */
  static async read(pool: Pool, sealer: Sealer | undefined): Promise<KeyRing> {
    const ring = new KeyRing(pool, sealer);
    await ring.#read();
    return ring;
  }

  /** For whoever needs the keys of a database alone. @throws HatchetError SECRET_KEY_WRONG, SECRET_KEY_UNUSABLE */
  static async open(pool: Pool, source: KeySource): Promise<KeyRing> {
    return KeyRing.read(pool, await openSecrets(pool, source));
  }

  /** The newest, with its private part. @throws HatchetError SECRET_KEY_WRONG */
  async signer(): Promise<{ id: string; privateKey: CryptoKey | Uint8Array }> {
    await this.#read();
    const [key] = this.#keys;
    if (key === undefined)
      throw new HatchetError('SECRET_KEY_WRONG', 'there is no signing key', {
        remedy: 'Make one with `hatchet keys rotate`.',
      });
    const privateJwk: JWK = JSON.parse(this.#opener.open(key.privateSealed, signingKeyRow(key.id)));
    return { id: key.id, privateKey: await importJWK(privateJwk, algorithm) };
  }

  /** A key that is not retired, as far as this engine knows. */
  async find(id: string | undefined): Promise<SigningKey | undefined> {
    const known = this.#keys.find((key) => key.id === id);
    if (id === undefined || known !== undefined || Date.now() - this.#readAtMs < rereadMs) return known;
    await this.#read();
    return this.#keys.find((key) => key.id === id);
  }

  async list(): Promise<SigningKeyInfo[]> {
    const { rows } = await this.#pool.query<{ id: string; created_at: Date; retired_at: Date | null; tokens: number }>(
      listKeys,
    );
    const signer = rows.find((row) => row.retired_at === null)?.id;
    return rows.map((row) => ({
      id: row.id,
      createdAt: row.created_at,
      retiredAt: row.retired_at,
      signs: row.id === signer,
      tokens: row.tokens,
    }));
  }

  /** Makes a key that signs from here on. @returns its id */
  async rotate(): Promise<string> {
    const row = await newSigningKey(this.#opener);
    await this.#pool.query(insertSigningKey, row);
    return row[0];
  }

  /** Ends a key and all tokens that it signed; engines notice within five seconds. @returns false for one that signs, is retired already, or is not there */
  async retire(id: string): Promise<boolean> {
    return (await this.#pool.query(retireKey, [id])).rowCount === 1;
  }

  get #opener(): Sealer {
    if (this.#sealer === undefined) throw new Error('a key ring without a sealer was asked to sign');
    return this.#sealer;
  }

  #read(): Promise<void> {
    this.#reading ??= this.#load().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #load(): Promise<void> {
    const { rows } = await this.#pool.query<KeySqlRow>(readKeys);
    this.#keys = await Promise.all(rows.map(async (row) => this.#import(row)));
    this.#readAtMs = Date.now();
  }

  async #import({ id, private_sealed: privateSealed, public_jwk: publicJwk }: KeySqlRow): Promise<SigningKey> {
    const known = this.#keys.find((key) => key.id === id);
    return {
      id,
      publicKey: known?.publicKey ?? (await importJWK(publicJwk, algorithm)),
      privateSealed: privateSealed ?? '',
    };
  }
}

/** Checks tokens. Its private part is opened only where one is signed. */
export interface SigningKey {
  id: string;
  publicKey: CryptoKey | Uint8Array;
  privateSealed: string;
}
