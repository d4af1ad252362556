import { connectedOwners } from '../../postgres/engine-connections.ts';
import type { Sql } from '../../postgres/sql-client.ts';

/**
 * How long a process is taken for alive after its last renewal, by Postgres's clock. Only the epoch decides who may commit: the
 * lease decides when others may look after the shards.
 */
export const leaseSeconds = 5;

/** A shard `s`, with the lease `o` of its owner, that owner $1 may have: never owned, given back, its own, or of an owner whose lease has run out. */
export const isFree = `(s.owner IS NULL OR s.owner = $1 OR o.expires_at IS NULL OR o.expires_at < clock_timestamp())`;

export interface SurveySqlRow {
  /** Null stands for an owner without any shard. */
  id: number | null;
  owner: string | null;
  free: boolean;
  abandoned: boolean;
  alive: boolean;
  grpc_address: string | null;
  http_address: string | null;
}

/**
 * Renews the lease of a process, and looks at all shards and owners as they were before. No transaction holds the row of a
 * lease, and shards that others took meanwhile refer to it no more: a renewal that comes late gives nothing back.
 */
export const renew = {
  name: 'renew_lease',
  text: `
    WITH renewed AS (
      INSERT INTO shard_owner AS o (id, expires_at) VALUES ($1, clock_timestamp() + interval '${leaseSeconds} s')
      ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
    ), ${connectedOwners}
    SELECT s.id, coalesce(s.owner, o.id) AS owner, ${isFree} AS free,
      coalesce(s.absent_since, o.expires_at, '-infinity') < clock_timestamp() - interval '${leaseSeconds} s' AS abandoned,
      coalesce(o.expires_at >= clock_timestamp(), false) AND coalesce(s.owner, o.id)::text IN (SELECT id FROM connected) AS alive,
      r.grpc_address, r.http_address
    FROM shard s FULL JOIN shard_owner o ON o.id = s.owner LEFT JOIN replica r ON r.id = coalesce(s.owner, o.id)
    ORDER BY s.id, owner`,
};

export async function renewLease(client: Sql, owner: string): Promise<SurveySqlRow[]> {
  const { rows } = await client.query<SurveySqlRow>({ ...renew, values: [owner] });
  return rows;
}

export const forgetOwners = {
  name: 'forget_owners',
  text: `
    WITH gone AS (
      DELETE FROM shard_owner o
      WHERE (o.id = $1 OR o.expires_at < clock_timestamp() - interval '1 hour') AND NOT EXISTS (SELECT FROM shard s WHERE s.owner = o.id)
      RETURNING o.id
    )
    DELETE FROM replica r USING gone WHERE r.id = gone.id`,
};

/** Takes away the leases of processes that are long gone, and of one that ends, where no shard refers to them. */
export async function forgetLeases(client: Sql, ending: string | null): Promise<void> {
  await client.query({ ...forgetOwners, values: [ending] });
}
