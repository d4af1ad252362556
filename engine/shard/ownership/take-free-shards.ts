import type { Sql } from '../../postgres/sql-client.ts';
import { absentSince, graceUs, lostUs } from './unserved-time.ts';
import { ownedShard, type OwnedShard, type ShardSqlRow } from './owned-shards.ts';

/** Owners of whom any connection is there. An application's name is visible to every role. */
const connected = `connected AS MATERIALIZED (
      SELECT right(application_name, 36) AS id FROM pg_stat_activity
      WHERE application_name LIKE 'hatchet lane %' OR application_name LIKE 'hatchet lease %'
    )`;

/** A shard `s`, with the lease `o` of its owner, that owner $1 may have: never owned, given back, its own, or of an owner whose lease has run out. */
const isFree = `(s.owner IS NULL OR s.owner = $1 OR o.expires_at IS NULL OR o.expires_at < clock_timestamp())`;

/** A shard `s` of whose owner no connection is left, though its lease may be in force. */
const isGone = `s.owner::text NOT IN (SELECT id FROM connected)`;

export const look = {
  name: 'look_for_shards',
  text: `
    WITH ${connected}
    SELECT DISTINCT s.owner, ${isFree} AS free
    FROM shard s LEFT JOIN shard_owner o ON o.id = s.owner
    WHERE s.id = ANY ($2::smallint[])
      AND (${isFree} OR ${isGone})`,
};

export interface Sight {
  /** Shards can be had now. */
  free: boolean;
  /** Owners whose lease is in force, but of whom no connection is left. */
  gone: string[];
}

/** Looks whether any of the wanted shards can be had. Writes nothing. */
export async function lookForShards(
  client: Sql,
  options: { owner: string; wanted: readonly number[] },
): Promise<Sight> {
  const { rows } = await client.query<{ owner: string | null; free: boolean }>({
    ...look,
    values: [options.owner, options.wanted],
  });
  return {
    free: rows.some((row) => row.free),
    gone: rows.flatMap((row) => (row.free || row.owner === null ? [] : [row.owner])),
  };
}

/**
 * Takes those of the wanted shards that nobody owns: never owned, given back, the lease of their owner run out, or all of its
 * connections gone. A row that a transaction of their owner holds is left for later. Since when the shard is without service is
 * kept over any number of attempts; what that adds to lost_us is told, and stored when the shard is served.
 */
export const acquireFree = {
  name: 'acquire_shards',
  text: `
    WITH ${connected},
    free AS (
      SELECT s.id, s.epoch, ${absentSince} AS since
      FROM shard s LEFT JOIN shard_owner o ON o.id = s.owner
      WHERE s.id = ANY ($2::smallint[])
        AND (${isFree} OR (s.owner = ANY ($3::uuid[]) AND ${isGone}))
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
