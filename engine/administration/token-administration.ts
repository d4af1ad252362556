import { decodeJwt } from 'jose';
import type { Pool } from 'pg';
import { renewLocalToken } from '../auth/local-token.ts';
import { KeyRing, type SigningKeyInfo } from '../auth/key-ring.ts';
import type { Role } from '../auth/role.ts';
import type { KeySource } from '../auth/secrets/master-keys.ts';
import { deleteForeignSecrets, type LostSecrets } from '../auth/secrets/open-secrets.ts';
import { defaultTenant, ensureTenant, TenantStore } from '../auth/tenants.ts';
import { Tokens, type Addresses, type TokenInfo } from '../auth/tokens.ts';
import { openDatabase } from '../local/database.ts';
import { LocalAudit } from './local-audit.ts';
import { createLog } from '../base/log.ts';
import { createPool } from '../postgres/connect.ts';

export {
  migrateDown,
  migrateUp,
  migrationStatus,
  verifyMigrations,
  verifyServable,
  type MigrateOptions,
  type MigrationState,
  type MigrationStep,
} from '../postgres/schema/migrate.ts';
export type { KeySource } from '../auth/secrets/master-keys.ts';
export type { LostSecrets } from '../auth/secrets/open-secrets.ts';
export type { SigningKeyInfo } from '../auth/key-ring.ts';
export type { Addresses, TokenInfo } from '../auth/tokens.ts';

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

/** Tokens and the keys that sign them, straight from the database: no engine has to run. What changes something is noted in the audit log. */
export interface TokenAdministration {
  /** @param options.tenant name or id, default `default` @throws HatchetError UNKNOWN_TENANT, INVALID_ARGUMENT for one that is being deleted */
  create(options: {
    tenant?: string | undefined;
    name: string;
    role: Role;
    expiresAt: Date;
    addresses: Addresses;
  }): Promise<NewToken>;
  /** @param tenant name or id, default `default` @throws HatchetError UNKNOWN_TENANT */
  list(tenant?: string): Promise<readonly TokenInfo[]>;
  /** Of any tenant. @returns whether there was such a token */
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
    const { id: home } = await ensureTenant(pool, defaultTenant);
    const checking = await KeyRing.read(pool, undefined);
    const tokens = new Tokens(pool, checking);
    const tenants = new TenantStore(pool);
    const audit = new LocalAudit(pool);
    let signing: Promise<KeyRing> | undefined;
    const keys = (): Promise<KeyRing> => (signing ??= KeyRing.open(pool, source));
    return {
      async create({ tenant = defaultTenant, ...options }) {
        const { id: tenantId } = await tenants.findActive(tenant);
        const token = await new Tokens(pool, await keys()).create({ tenantId, ...options });
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
      listKeys: () => checking.list(),
      async rotateKey() {
        const id = await (await keys()).rotate();
        // Keys are of all tenants; the one that is always there has the line.
        await audit.note({ tenantId: home, action: 'hatchet keys rotate', ids: [id] });
        return id;
      },
      async retireKey(id) {
        const retired = await checking.retire(id);
        if (!retired) return false;
        await audit.note({ tenantId: home, action: 'hatchet keys retire', ids: [id] });
        await renewLocalToken(source.dataDir, {
          checking: tokens,
          signing: async () => new Tokens(pool, await keys()),
        });
        return true;
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
