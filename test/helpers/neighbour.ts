import type { Pool } from 'pg';
import { KeyRing } from '../../engine/auth/key-ring.ts';
import { ensureTenant } from '../../engine/auth/tenants.ts';
import { Tokens } from '../../engine/auth/tokens.ts';
import { shardOf } from '../../engine/model/ids/shard-of.ts';
import { newTenantId, type TenantId } from '../../engine/model/ids/tenant-id.ts';

/** A tenant's id that falls into the same shard. */
export function neighbourOf(tenantId: TenantId): TenantId {
  for (;;) {
    const id = newTenantId();
    if (shardOf(id) === shardOf(tenantId)) return id;
  }
}

/**
 * A second tenant of a running engine, in the shard of the first: nothing but its id keeps the two apart. With a token that is good.
 * @param dataDir of the engine
 */
export async function makeNeighbour(pool: Pool, dataDir: string): Promise<{ tenantId: TenantId; token: string }> {
  const tenantId = neighbourOf((await ensureTenant(pool, 'default')).id);
  await pool.query('INSERT INTO tenant (id, name) VALUES ($1, $2)', [tenantId, 'stranger']);
  const tokens = new Tokens(pool, await KeyRing.open(pool, { dataDir }));
  return {
    tenantId,
    token: await tokens.create({
      tenantId,
      name: 'stranger',
      addresses: { serverUrl: 'http://127.0.0.1:1', grpcBroadcastAddress: '127.0.0.1:1' },
    }),
  };
}
