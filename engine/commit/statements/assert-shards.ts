import type { ShardStep } from '../../model/stored-rows.ts';
import { plainArray } from '../array-literal.ts';

/**
 * Moves every shard of the transaction from its last transaction to this one. The lease is no concern of it: whoever has the epoch may commit.
 * A shard that has another epoch or another last transaction makes the statement fail with a division by zero
 * (22012), which ends the transaction although its other statements are already on the wire.
 */
export const assertShards = {
  name: 'assert_shards',
  text: `
    WITH moved AS (
      UPDATE shard s
      SET last_batch = $6::bigint, last_seq = u.seq, lost_us = u.lost_us
      FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS u (id, epoch, last_batch, seq, lost_us)
      WHERE s.id = u.id AND s.epoch = u.epoch AND s.last_batch = u.last_batch
      RETURNING 1
    )
    SELECT 1 / (CASE WHEN (SELECT count(*) FROM moved) = cardinality($1::smallint[]) THEN 1 ELSE 0 END) AS owned`,
  values(shards: readonly ShardStep[], transaction: number): string[] {
    return [
      plainArray(shards.map((shard) => shard.id)),
      plainArray(shards.map((shard) => shard.epoch)),
      plainArray(shards.map((shard) => shard.lastTransaction)),
      plainArray(shards.map((shard) => shard.seq)),
      plainArray(shards.map((shard) => shard.lostUs)),
      String(transaction),
    ];
  },
} as const;
