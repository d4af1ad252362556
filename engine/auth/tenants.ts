import type { Pool } from 'pg';
import { HatchetError } from '../base/errors.ts';
import { newTenantId, parseTenantId, type TenantId } from '../model/ids/tenant-id.ts';

export interface Tenant {
  id: TenantId;
  name: string;
}

export interface TenantInfo extends Tenant {
  createdAt: Date;
  /** When its deletion began; null for one that is in use. */
  deletedAt: Date | null;
  /** Tokens that are good. */
  tokens: number;
  /** As they were set, by name. */
  limits: Readonly<Record<string, unknown>>;
}

interface TenantSqlRow {
  id: TenantId;
  name: string;
  created_at: Date;
  deleted_at: Date | null;
  tokens: number;
  limits: Record<string, unknown>;
}

/** The tenant of a local installation: each engine makes it at its start. */
export const defaultTenant = 'default';
const mostTenants = 10_000;

const columns = `n.id, n.name, n.created_at, n.deleted_at, n.limits,
  (SELECT count(*)::integer FROM token t WHERE t.tenant_id = n.id AND t.revoked_at IS NULL AND t.expires_at > now()) AS tokens`;
const listTenants = `SELECT ${columns} FROM tenant n ORDER BY n.created_at, n.id LIMIT ${mostTenants}`;
const findTenantById = `SELECT ${columns} FROM tenant n WHERE n.id = $1`;
const findTenantByName = `SELECT ${columns} FROM tenant n WHERE n.name = $1`;
const insertTenant = `INSERT INTO tenant (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`;
const changeLimits = `UPDATE tenant SET limits = (limits - $2::text[]) || $3::jsonb WHERE id = $1`;
const markDeleted = `UPDATE tenant SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL`;
/** Counted no further than `$2`. */
const countRuns = `SELECT count(*)::integer AS runs FROM (SELECT FROM run WHERE tenant_id = $1 LIMIT $2) AS counted`;

/** The tenant of a local installation, made with the first engine. */
export async function ensureTenant(pool: Pool, name: string): Promise<Tenant> {
  await pool.query(insertTenant, [newTenantId(), name]);
  const { rows } = await pool.query<Tenant>('SELECT id, name FROM tenant WHERE name = $1', [name]);
  const [tenant] = rows;
  if (tenant === undefined) throw new Error(`tenant ${name} is missing right after its creation`);
  return tenant;
}

export async function readTenant(pool: Pool, id: TenantId): Promise<Tenant | undefined> {
  const { rows } = await pool.query<Tenant>('SELECT id, name FROM tenant WHERE id = $1', [id]);
  return rows[0];
}

/** Oldest first. */
export class TenantStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async list(): Promise<TenantInfo[]> {
    const { rows } = await this.#pool.query<TenantSqlRow>(listTenants);
    return rows.map(fromRow);
  }

  /** By id or name. @throws HatchetError UNKNOWN_TENANT */
  async find(nameOrId: string): Promise<TenantInfo> {
    const id = parseTenantId(nameOrId);
    const { rows } = await this.#pool.query<TenantSqlRow>(id === undefined ? findTenantByName : findTenantById, [
      id ?? nameOrId,
    ]);
    const [row] = rows;
    if (row === undefined)
      throw new HatchetError('UNKNOWN_TENANT', `there is no tenant ${JSON.stringify(nameOrId)}`, {
        remedy: '`hatchet tenants list` shows them.',
      });
    return fromRow(row);
  }

  /** One that is not being deleted. @throws HatchetError UNKNOWN_TENANT, INVALID_ARGUMENT */
  async findActive(nameOrId: string): Promise<TenantInfo> {
    const tenant = await this.find(nameOrId);
    if (tenant.deletedAt !== null)
      throw new HatchetError('INVALID_ARGUMENT', `the tenant ${JSON.stringify(tenant.name)} is being deleted`, {
        remedy: 'Use another one; `hatchet tenants list` shows them.',
      });
    return tenant;
  }

  /** @param name checked by the caller @throws HatchetError INVALID_ARGUMENT for a name that is taken */
  async create(name: string): Promise<TenantInfo> {
    const { rowCount } = await this.#pool.query(insertTenant, [newTenantId(), name]);
    const tenant = await this.find(name);
    if (rowCount === 1) return tenant;
    if (tenant.deletedAt === null)
      throw new HatchetError('INVALID_ARGUMENT', `there is a tenant ${JSON.stringify(name)} already`, {
        remedy: 'Choose another name, or use that one.',
      });
    throw new HatchetError('INVALID_ARGUMENT', `the tenant ${JSON.stringify(name)} is still being deleted`, {
      remedy:
        'Choose another name, or wait until `hatchet tenants list` does not show it any more; an engine has to run for that.',
    });
  }

  /** In force in running engines within seconds. */
  async changeLimits(
    id: TenantId,
    change: { set: Readonly<Record<string, number>>; unset: readonly string[] },
  ): Promise<void> {
    await this.#pool.query(changeLimits, [id, change.unset, JSON.stringify(change.set)]);
  }

  /** From here on its tokens are refused, and an engine purges it. @returns whether it was in use */
  async markDeleted(id: TenantId): Promise<boolean> {
    const { rowCount } = await this.#pool.query(markDeleted, [id]);
    return rowCount === 1;
  }

  countRuns(id: TenantId, most: number): Promise<number> {
    return this.#pool.query<{ runs: number }>(countRuns, [id, most]).then(({ rows }) => rows[0]?.runs ?? 0);
  }
}

function fromRow(row: TenantSqlRow): TenantInfo {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    deletedAt: row.deleted_at,
    tokens: row.tokens,
    limits: row.limits,
  };
}
