import type { Sql } from '../../postgres/sql-client.ts';
import { connectedOwners } from '../../postgres/engine-connections.ts';
import { isFree } from './process-lease.ts';
import { absentSince, graceUs, lostUs } from './unserved-time.ts';
import { ownedShard, type OwnedShard, type ShardSqlRow } from './owned-shards.ts';

/**
 * Takes those of the wanted shards that nobody owns: never owned, given back, the lease of their owner run out, or all of its
 * connections gone. A row that a transaction of their owner holds is left for later. Since when the shard is without service is
 * kept over any number of attempts; what that adds to lost_us is told, and stored when the shard is served.
 */
export const acquireFree = {
  name: 'acquire_shards',
  text: `
    WITH ${connectedOwners},
    free AS (
      SELECT s.id, s.epoch, ${absentSince} AS since
      FROM shard s LEFT JOIN shard_owner o ON o.id = s.owner
      WHERE s.id = ANY ($2::smallint[])
        AND (${isFree} OR (s.owner = ANY ($3::uuid[]) AND s.owner::text NOT IN (SELECT id FROM connected)))
      ORDER BY s.id
      FOR UPDATE OF s SKIP LOCKED
    )
    UPDATE shard s
    SET owner = $1, epoch = s.epoch + 1, absent_since = free.since
    FROM free WHERE s.id = free.id
    RETURNING s.id, s.epoch, s.last_batch, s.last_seq,
      ${lostUs} AS lost_us`,
};

/** @param options.gone owners who were seen without any connection a moment ago; they are looked for once more */
export async function acquireShards(
  client: Sql,
  options: { owner: string; wanted: readonly number[]; gone?: readonly string[]; graceMs?: number },
): Promise<OwnedShard[]> {
  const { owner, wanted, gone = [], graceMs = 0 } = options;
  const { rows } = await client.query<ShardSqlRow>({
    ...acquireFree,
    values: [owner, wanted, gone, graceUs(graceMs)],
  });
  return rows.map(ownedShard);
}
