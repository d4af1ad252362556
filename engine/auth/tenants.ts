import type { Pool } from 'pg';
import { newId } from '../model/uuid.ts';

export interface Tenant {
  id: string;
  name: string;
}

/** The tenant of a local installation, made with the first engine. */
export async function ensureTenant(pool: Pool, name: string): Promise<Tenant> {
  await pool.query('INSERT INTO tenant (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', [newId(), name]);
  const { rows } = await pool.query<Tenant>('SELECT id, name FROM tenant WHERE name = $1', [name]);
  const [tenant] = rows;
  if (tenant === undefined) throw new Error(`tenant ${name} is missing right after its creation`);
  return tenant;
}

export async function readTenant(pool: Pool, id: string): Promise<Tenant | undefined> {
  const { rows } = await pool.query<Tenant>('SELECT id, name FROM tenant WHERE id = $1', [id]);
  return rows[0];
}
