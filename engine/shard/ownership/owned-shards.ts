import type { Sql } from '../../postgres/sql-client.ts';

export interface OwnedShard {
  id: number;
  epoch: number;
  lastTransaction: number;
  seq: number;
  /** With the present absence, which is stored once the shard is served. */
  lostUs: number;
}

export interface ShardSqlRow {
  id: number;
  epoch: string;
  last_batch: string;
  last_seq: string;
  lost_us: string;
}

export function ownedShard(row: ShardSqlRow): OwnedShard {
  return {
    id: row.id,
    epoch: Number(row.epoch),
    lastTransaction: Number(row.last_batch),
    seq: Number(row.last_seq),
    lostUs: Number(row.lost_us),
  };
}

export const readOwned = {
  name: 'read_owned',
  text: `SELECT id, epoch, last_batch, last_seq, lost_us FROM shard WHERE id = ANY ($2::smallint[]) AND owner = $1`,
};

/** What is stored of those of the shards that are this owner's. */
export async function readOwnedShards(client: Sql, owner: string, ids: readonly number[]): Promise<OwnedShard[]> {
  const { rows } = await client.query<ShardSqlRow>({ ...readOwned, values: [owner, ids] });
  return rows.map(ownedShard);
}

export const serve = {
  name: 'serve_shards',
  text: `
    UPDATE shard s SET lost_us = u.lost_us, absent_since = NULL
    FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS u (id, epoch, lost_us)
    WHERE s.id = u.id AND s.epoch = u.epoch AND s.owner = $1
    RETURNING s.id`,
};

/** The absence of recovered shards is over. @returns those that are this owner's still */
export async function serveShards(
  client: Sql,
  owner: string,
  shards: readonly Pick<OwnedShard, 'id' | 'epoch' | 'lostUs'>[],
): Promise<Set<number>> {
  const { rows } = await client.query<{ id: number }>({
    ...serve,
    values: [
      owner,
      shards.map((shard) => shard.id),
      shards.map((shard) => shard.epoch),
      shards.map((shard) => shard.lostUs),
    ],
  });
  return new Set(rows.map((row) => row.id));
}

export const giveBack = {
  name: 'give_shards_back',
  text: `
    UPDATE shard SET owner = NULL, absent_since = coalesce(absent_since, clock_timestamp())
    WHERE owner = $1 AND id = ANY ($2::smallint[])`,
};

/** So that the next owner need not wait. */
export async function giveShardsBack(client: Sql, owner: string, ids: readonly number[]): Promise<void> {
  await client.query({ ...giveBack, values: [owner, ids] });
}
