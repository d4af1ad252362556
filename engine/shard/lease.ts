import type { ClientBase } from 'pg';
import type { Backend } from '../commit/lane.ts';

export interface OwnedShard {
  id: number;
  epoch: number;
  lastBatch: number;
  seq: number;
  lostUs: number;
}

interface ShardSqlRow {
  id: number;
  epoch: string;
  last_batch: string;
  last_seq: string;
  lost_us: string;
}

function ownedShard(row: ShardSqlRow): OwnedShard {
  return {
    id: row.id,
    epoch: Number(row.epoch),
    lastBatch: Number(row.last_batch),
    seq: Number(row.last_seq),
    lostUs: Number(row.lost_us),
  };
}

/**
 * Added to the time without an owner, so that workers get back before their tasks' deadlines run on. Where a worker may be
 * away for longer before it is lost, it is as much: how long one was away before a crash is not stored.
 */
const leastGraceMs = 30_000;

/**
 * Takes those of the wanted shards that nobody owns: never owned, given back, its lease run out (5 s without a commit),
 * or its owner's backend gone. A lease in force is left alone. The time without an owner, plus the grace,
 * is added to lost_us: deadlines don't count it.
 */
const acquireFree = {
  text: `
    WITH free AS (
      SELECT s.id,
        CASE WHEN s.epoch = 0 THEN 0
          ELSE greatest(0, extract(epoch FROM clock_timestamp() - (s.expires_at - CASE WHEN s.owner IS NULL THEN interval '0 s' ELSE interval '5 s' END))) * 1000000 + $4::bigint
        END AS lost
      FROM shard s
      WHERE s.id = ANY ($5::smallint[])
        AND (s.owner IS NULL OR s.expires_at < clock_timestamp() OR s.owner = $1
          OR NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = s.backend_pid AND a.backend_start = s.backend_start))
      ORDER BY s.id
      FOR UPDATE SKIP LOCKED
    )
    UPDATE shard s
    SET owner = $1, epoch = s.epoch + 1, backend_pid = $2, backend_start = $3::timestamptz,
      expires_at = clock_timestamp() + interval '5 s', lost_us = s.lost_us + free.lost::bigint
    FROM free WHERE s.id = free.id
    RETURNING s.id, s.epoch, s.last_batch, s.last_seq, s.lost_us`,
};

export async function acquireShards(
  client: ClientBase,
  options: { owner: string; backend: Backend; wanted: readonly number[]; graceMs?: number },
): Promise<OwnedShard[]> {
  const { owner, backend, wanted, graceMs = leastGraceMs } = options;
  const { rows } = await client.query<ShardSqlRow>(acquireFree.text, [
    owner,
    backend.pid,
    backend.start,
    Math.max(graceMs, leastGraceMs) * 1000,
    wanted,
  ]);
  return rows.map(ownedShard);
}

const terminateBackend = {
  text: `
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE pid = $1 AND backend_start = $2::timestamptz AND pid <> pg_backend_pid()`,
};

const lockOwned = {
  text: `SELECT id, owner, epoch, last_batch FROM shard WHERE id = ANY ($1::smallint[]) ORDER BY id FOR UPDATE`,
};

const renewEpoch = {
  text: `
    UPDATE shard SET epoch = epoch + 1, backend_pid = $2, backend_start = $3::timestamptz, expires_at = clock_timestamp() + interval '5 s'
    WHERE id = ANY ($1::smallint[])
    RETURNING id, epoch, last_batch, last_seq, lost_us`,
};

export type Fate = { owned: false } | { owned: true; shards: OwnedShard[] };

/**
 * Finds out what became of a batch whose answer was lost, on a new connection. The old backend is ended first, and the
 * epoch is raised under the row's lock: a plain read could still see the old batch while the new one is about to commit
 * (seen: one second later). `last_batch` of the answer is final.
 */
export async function settleOwnership(
  client: ClientBase,
  options: { owner: string; ids: readonly number[]; old: Backend; backend: Backend },
): Promise<Fate> {
  await client.query(terminateBackend.text, [options.old.pid, options.old.start]);
  await client.query('BEGIN');
  try {
    const held = await client.query<{ owner: string | null }>(lockOwned.text, [options.ids]);
    if (held.rows.some((row) => row.owner !== options.owner)) {
      await client.query('ROLLBACK');
      return { owned: false };
    }
    const { rows } = await client.query<ShardSqlRow>(renewEpoch.text, [
      options.ids,
      options.backend.pid,
      options.backend.start,
    ]);
    await client.query('COMMIT');
    return { owned: true, shards: rows.map(ownedShard) };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

const release = {
  text: `
    UPDATE shard SET owner = NULL, backend_pid = NULL, backend_start = NULL, expires_at = clock_timestamp()
    WHERE owner = $1`,
};

/** Gives all shards back, so that the next owner need not wait. */
export async function releaseShards(client: ClientBase, owner: string): Promise<void> {
  await client.query(release.text, [owner]);
}
