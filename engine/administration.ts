import type { Pool } from 'pg';
import { renewLocalToken } from './auth/local-token.ts';
import { KeyRing, type SigningKeyInfo } from './auth/key-ring.ts';
import type { KeySource } from './auth/secrets/master-keys.ts';
import { deleteForeignSecrets, type LostSecrets } from './auth/secrets/open-secrets.ts';
import { ensureTenant } from './auth/tenants.ts';
import { Tokens, type Addresses, type TokenInfo } from './auth/tokens.ts';
import { openDatabase } from './database.ts';
import { createLog } from './log.ts';
import { createPool } from './postgres/connect.ts';

export { migrateDown, migrateUp, migrationStatus, verifyMigrations, type MigrateOptions, type MigrationState, type MigrationStep } from './postgres/migrate.ts';
export type { KeySource } from './auth/secrets/master-keys.ts';
export type { LostSecrets } from './auth/secrets/open-secrets.ts';
export type { SigningKeyInfo } from './auth/key-ring.ts';
export type { Addresses, TokenInfo } from './auth/tokens.ts';

export interface AdministeredDatabase {
  url: string;
  stop(): Promise<void>;
}

/**
 * The database of a data folder whose engine does not run: its own Postgres is started for the time being, under the
 * folder's lock. @throws HatchetError DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, POSTGRES_START
 */
export function openAdministeredDatabase(dataDir: string): Promise<AdministeredDatabase> {
  return openDatabase({ databaseUrl: undefined, dataDir, log: createLog('error') });
}

/** Tokens of the tenant `default` and the keys that sign them, straight from the database: no engine has to run. */
export interface TokenAdministration {
  /** @param options.expiresInDays default 365 */
  create(options: { name: string; expiresInDays?: number; addresses: Addresses }): Promise<string>;
  list(): Promise<readonly TokenInfo[]>;
  /** @returns whether there was such a token */
  revoke(id: string): Promise<boolean>;
  /** Newest first. */
  listKeys(): Promise<readonly SigningKeyInfo[]>;
  /** Makes a key that signs from here on. @returns its id */
  rotateKey(): Promise<string>;
  /** Ends a key and its tokens; the data folder's own token is made anew. @returns false for the key that signs, one that is retired, or none */
  retireKey(id: string): Promise<boolean>;
  stop(): Promise<void>;
}

/** The schema has to be this version's. What signs or seals needs the secret key, and throws SECRET_KEY_WRONG or SECRET_KEY_UNUSABLE. */
export async function openTokenAdministration(databaseUrl: string, source: KeySource): Promise<TokenAdministration> {
  const pool = administrationPool(databaseUrl);
  try {
    const tenant = await ensureTenant(pool, 'default');
    const checking = await KeyRing.read(pool, undefined);
    const tokens = new Tokens(pool, checking);
    let signing: Promise<KeyRing> | undefined;
    const keys = (): Promise<KeyRing> => (signing ??= KeyRing.open(pool, source));
    return {
      create: async (options) => new Tokens(pool, await keys()).create({ tenantId: tenant.id, ...options }),
      list: () => tokens.list(tenant.id),
      revoke: (id) => tokens.revoke(tenant.id, id),
      listKeys: () => checking.list(),
      rotateKey: async () => (await keys()).rotate(),
      async retireKey(id) {
        const retired = await checking.retire(id);
        if (retired) await renewLocalToken(source.dataDir, { checking: tokens, signing: async () => new Tokens(pool, await keys()) });
        return retired;
      },
      stop: () => pool.end(),
    };
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/** Deletes the signing keys and webhooks that are sealed under a key that is lost: all their tokens end. */
export async function resetSecrets(databaseUrl: string, source: KeySource): Promise<LostSecrets> {
  const pool = administrationPool(databaseUrl);
  try {
    return await deleteForeignSecrets(pool, source);
  } finally {
    await pool.end();
  }
}

function administrationPool(databaseUrl: string): Pool {
  return createPool(databaseUrl, { name: 'hatchet token', max: 2, statementMs: 10_000, log: createLog('error') });
}
