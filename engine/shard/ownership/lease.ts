import type { Sql } from '../../postgres/sql-client.ts';

/**
 * How long a process is taken for alive after its last renewal, by Postgres's clock. Only the epoch decides who may commit: the
 * lease decides when others may look after the shards.
 */
export const leaseSeconds = 5;

/** The name of a connection, by which other engines see that its process lives. Postgres cuts names at 63 bytes. */
export function connectionName(of: 'lane' | 'lease', owner: string): string {
  return `hatchet ${of} ${owner}`;
}

export const renew = {
  name: 'renew_lease',
  text: `
    WITH renewed AS (
      INSERT INTO shard_owner AS o (id, expires_at) VALUES ($1, clock_timestamp() + interval '${leaseSeconds} s')
      ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
    )
    SELECT id FROM shard WHERE owner = $1`,
};

/**
 * Renews the lease of a process. No transaction holds this row, and shards that others took meanwhile refer to it no more: a
 * renewal that comes late gives nothing back.
 * @returns the shards that are this owner's still
 */
export async function renewLease(client: Sql, owner: string): Promise<Set<number>> {
  const { rows } = await client.query<{ id: number }>({ ...renew, values: [owner] });
  return new Set(rows.map((row) => row.id));
}

export const forgetOwners = {
  name: 'forget_owners',
  text: `
    DELETE FROM shard_owner o
    WHERE (o.id = $1 OR o.expires_at < clock_timestamp() - interval '1 hour') AND NOT EXISTS (SELECT FROM shard s WHERE s.owner = o.id)`,
};

/** Takes away the lease of this owner, and those of processes that are long gone, where no shard refers to them. */
export async function forgetLeases(client: Sql, owner: string): Promise<void> {
  await client.query({ ...forgetOwners, values: [owner] });
}
