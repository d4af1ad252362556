import { connect } from '../postgres/connect.ts';

/** What an engine could not read of what is stored when it took a shard over. */
export interface SetAsideInfo {
  /** Such as `task`. */
  kind: string;
  id: string;
  reason: string;
  since: Date;
}

export interface ShardReport {
  /** At most `most`, oldest first. */
  setAside: readonly SetAsideInfo[];
  setAsideInAll: number;
  /** Shards that nobody has served for longer than a take-over lasts. */
  unserved: readonly number[];
}

const readSetAside = `SELECT kind, id, reason, since FROM set_aside ORDER BY since, kind, id LIMIT $1`;
const countSetAside = `SELECT count(*)::integer AS n FROM set_aside`;
const readUnserved = `SELECT id FROM shard WHERE absent_since < clock_timestamp() - interval '30 s' ORDER BY id`;

/** For `hatchet doctor`, straight from the database. @throws HatchetError POSTGRES_UNREACHABLE, POSTGRES_TOO_OLD */
export async function readShardReport(url: string, most: number): Promise<ShardReport> {
  const { client } = await connect(url, 'hatchet doctor');
  try {
    const setAside = await client.query<SetAsideInfo>(readSetAside, [most]);
    const count = await client.query<{ n: number }>(countSetAside);
    const unserved = await client.query<{ id: number }>(readUnserved);
    return {
      setAside: setAside.rows,
      setAsideInAll: count.rows[0]?.n ?? 0,
      unserved: unserved.rows.map((row) => row.id),
    };
  } finally {
    await client.end().catch(() => undefined);
  }
}
