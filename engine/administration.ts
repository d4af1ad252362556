import { loadSigningKeys } from './auth/signing-keys.ts';
import { ensureTenant } from './auth/tenants.ts';
import { Tokens, type Addresses, type TokenInfo } from './auth/tokens.ts';
import { openDatabase } from './database.ts';
import { createLog } from './log.ts';
import { createPool } from './postgres/connect.ts';

export { migrateDown, migrateUp, migrationStatus, verifyMigrations, type MigrateOptions, type MigrationState, type MigrationStep } from './postgres/migrate.ts';
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

/** Tokens of the tenant `default`, straight from the database: no engine has to run. */
export interface TokenAdministration {
  /** @param options.expiresInDays default 365 */
  create(options: { name: string; expiresInDays?: number; addresses: Addresses }): Promise<string>;
  list(): Promise<readonly TokenInfo[]>;
  /** @returns whether there was such a token */
  revoke(id: string): Promise<boolean>;
  stop(): Promise<void>;
}

/** The schema has to be this version's. */
export async function openTokenAdministration(databaseUrl: string): Promise<TokenAdministration> {
  const pool = createPool(databaseUrl, { name: 'hatchet token', max: 2, statementMs: 10_000, log: createLog('error') });
  try {
    const tenant = await ensureTenant(pool, 'default');
    const tokens = new Tokens(pool, await loadSigningKeys(pool));
    return {
      create: (options) => tokens.create({ tenantId: tenant.id, ...options }),
      list: () => tokens.list(tenant.id),
      revoke: (id) => tokens.revoke(tenant.id, id),
      stop: () => pool.end(),
    };
  } catch (error) {
    await pool.end();
    throw error;
  }
}
