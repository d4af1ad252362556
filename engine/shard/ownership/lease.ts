import type { Sql } from '../../postgres/sql-client.ts';
import type { Backend } from '../../commit/lane.ts';

/**
 * How long a process is taken for alive after its last renewal, by Postgres's clock. Only the epoch decides who may commit: the
 * lease decides when others may look after the shards.
 */
const leaseSeconds = 5;

/**
 * Added to the time in which nobody served the shard, so that workers get back before their tasks' deadlines run on. Where a
 * worker may be away for longer before it is lost, it is as much: how long one was away before a crash is not stored.
 */
const leastGraceMs = 30_000;

export interface OwnedShard {
  id: number;
  epoch: number;
  lastTransaction: number;
  seq: number;
  /** With the present absence, which is stored once the shard is served. */
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
    lastTransaction: Number(row.last_batch),
    seq: Number(row.last_seq),
    lostUs: Number(row.lost_us),
  };
}

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

/** Owners of whom any connection is there. An application's name is visible to every role. */
const connected = `connected AS MATERIALIZED (
      SELECT right(application_name, 36) AS id FROM pg_stat_activity
      WHERE application_name LIKE 'hatchet lane %' OR application_name LIKE 'hatchet lease %'
    )`;

export const look = {
  name: 'look_for_shards',
  text: `
    WITH ${connected}
    SELECT DISTINCT s.owner, (s.owner IS NULL OR s.owner = $1 OR o.expires_at IS NULL OR o.expires_at < clock_timestamp()) AS free
    FROM shard s LEFT JOIN shard_owner o ON o.id = s.owner
    WHERE s.id = ANY ($2::smallint[])
      AND (s.owner IS NULL OR s.owner = $1 OR o.expires_at IS NULL OR o.expires_at < clock_timestamp()
        OR s.owner::text NOT IN (SELECT id FROM connected))`,
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
      SELECT s.id, s.epoch, coalesce(s.absent_since, least(o.expires_at - interval '${leaseSeconds} s', clock_timestamp()), clock_timestamp()) AS since
      FROM shard s LEFT JOIN shard_owner o ON o.id = s.owner
      WHERE s.id = ANY ($2::smallint[])
        AND (s.owner IS NULL OR s.owner = $1 OR o.expires_at IS NULL OR o.expires_at < clock_timestamp()
          OR (s.owner = ANY ($3::uuid[]) AND s.owner::text NOT IN (SELECT id FROM connected)))
      ORDER BY s.id
      FOR UPDATE OF s SKIP LOCKED
    )
    UPDATE shard s
    SET owner = $1, epoch = s.epoch + 1, absent_since = free.since
    FROM free WHERE s.id = free.id
    RETURNING s.id, s.epoch, s.last_batch, s.last_seq,
      (s.lost_us + CASE WHEN free.epoch = 0 THEN 0 ELSE greatest(0, extract(epoch FROM clock_timestamp() - free.since)) * 1000000 + $4::bigint END)::bigint AS lost_us`,
};

/** @param options.gone owners who were seen without any connection a moment ago; they are looked for once more */
export async function acquireShards(
  client: Sql,
  options: { owner: string; wanted: readonly number[]; gone?: readonly string[]; graceMs?: number },
): Promise<OwnedShard[]> {
  const { owner, wanted, gone = [], graceMs = leastGraceMs } = options;
  const { rows } = await client.query<ShardSqlRow>({
    ...acquireFree,
    values: [owner, wanted, gone, Math.max(graceMs, leastGraceMs) * 1000],
  });
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

export const terminateBackend = {
  text: `
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE pid = $1 AND backend_start = $2::timestamptz AND pid <> pg_backend_pid()`,
};

export const lockOwned = {
  text: `SELECT id, epoch, last_batch FROM shard WHERE id = ANY ($2::smallint[]) AND owner = $1 ORDER BY id FOR UPDATE`,
};

export const raiseEpoch = {
  text: `
    UPDATE shard SET epoch = epoch + 1 WHERE id = ANY ($2::smallint[]) AND owner = $1
    RETURNING id, epoch`,
};

/** What became of a shard that this owner has still. */
export interface SettledShard {
  id: number;
  /** The raised one; undefined where the shard was acquired anew, and the memory that was asked for is void. */
  epoch: number | undefined;
  lastTransaction: number;
}

/**
 * Finds out what became of a transaction whose answer was lost, on a new connection. The old backend is ended first, and the
 * epoch is raised under the row's lock: a plain read could still see what was before the transaction while it is about to
 * commit (seen: one second later). `last_batch` of the answer is final. A shard that the connection of the lease has acquired
 * anew meanwhile keeps its epoch: whoever recovers it goes by that.
 * @param options.shards with the epochs that memory knows
 * @param options.unanswered tries before this one that may have raised them
 * @returns those of the shards that are this owner's still
 */
export async function settleOwnership(
  client: Sql,
  options: { owner: string; shards: readonly { id: number; epoch: number }[]; old: Backend; unanswered?: number },
): Promise<SettledShard[]> {
  const { owner, shards, old, unanswered = 0 } = options;
  const known = new Map(shards.map(({ id, epoch }) => [id, epoch]));
  await client.query(terminateBackend.text, [old.pid, old.start]);
  await client.query('BEGIN');
  try {
    const { rows: held } = await client.query<Pick<ShardSqlRow, 'id' | 'epoch' | 'last_batch'>>(lockOwned.text, [
      owner,
      shards.map(({ id }) => id),
    ]);
    const same = held.filter(({ id, epoch }) => {
      const raised = Number(epoch) - (known.get(id) ?? Infinity);
      return raised >= 0 && raised <= unanswered;
    });
    const { rows } = await client.query<Pick<ShardSqlRow, 'id' | 'epoch'>>(raiseEpoch.text, [
      owner,
      same.map(({ id }) => id),
    ]);
    await client.query('COMMIT');
    const epochs = new Map(rows.map(({ id, epoch }) => [id, Number(epoch)]));
    return held.map(({ id, last_batch: last }) => ({ id, epoch: epochs.get(id), lastTransaction: Number(last) }));
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
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
