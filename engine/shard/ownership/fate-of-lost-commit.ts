import type { Sql } from '../../postgres/sql-client.ts';
import type { Backend } from '../../commit/lane.ts';
import type { ShardSqlRow } from './owned-shards.ts';

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
export async function settleLostCommit(
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
