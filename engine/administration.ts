import { decodeJwt } from 'jose';
import type { Role } from './auth/role.ts';
import { loadSigningKeys } from './auth/signing-keys.ts';
import { defaultTenant, ensureTenant, TenantStore } from './auth/tenants.ts';
import { Tokens, type Addresses, type TokenInfo } from './auth/tokens.ts';
import { openDatabase } from './database.ts';
import { LocalAudit } from './local-audit.ts';
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

export interface NewToken {
  token: string;
  tokenId: string;
  tenantId: string;
  role: Role;
  expiresAt: Date;
}

/** Tokens, straight from the database: no engine has to run. What changes something is noted in the audit log. */
export interface TokenAdministration {
  /** @param options.tenant name or id, default `default` @throws HatchetError UNKNOWN_TENANT, INVALID_ARGUMENT for one that is being deleted */
  create(options: { tenant?: string | undefined; name: string; role: Role; expiresAt: Date; addresses: Addresses }): Promise<NewToken>;
  /** @param tenant name or id, default `default` @throws HatchetError UNKNOWN_TENANT */
  list(tenant?: string): Promise<readonly TokenInfo[]>;
  /** Of any tenant. @returns whether there was such a token */
  revoke(id: string): Promise<boolean>;
  stop(): Promise<void>;
}

/** The schema has to be this version's. */
export async function openTokenAdministration(databaseUrl: string): Promise<TokenAdministration> {
  const pool = createPool(databaseUrl, { name: 'hatchet token', max: 2, statementMs: 10_000, log: createLog('error') });
  try {
    await ensureTenant(pool, defaultTenant);
    const tokens = new Tokens(pool, await loadSigningKeys(pool));
    const tenants = new TenantStore(pool);
    const audit = new LocalAudit(pool);
    return {
      async create({ tenant = defaultTenant, ...options }) {
        const { id: tenantId } = await tenants.findActive(tenant);
        const token = await tokens.create({ tenantId, ...options });
        const tokenId = String(decodeJwt(token)['token_id']);
        await audit.note({ tenantId, action: 'hatchet token create', ids: [tokenId] });
        return { token, tokenId, tenantId, role: options.role, expiresAt: options.expiresAt };
      },
      list: async (tenant = defaultTenant) => tokens.list((await tenants.find(tenant)).id),
      async revoke(id) {
        const tenantId = await tokens.tenantOf(id);
        if (tenantId === undefined || !(await tokens.revoke(tenantId, id))) return false;
        await audit.note({ tenantId, action: 'hatchet token revoke', ids: [id] });
        return true;
      },
      stop: () => pool.end(),
    };
  } catch (error) {
    await pool.end();
    throw error;
  }
}
