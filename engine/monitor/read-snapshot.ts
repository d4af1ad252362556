import type { Pool, PoolClient } from 'pg';

/** Takes single statements; those of one snapshot see the same. */
export type Reader = Pick<PoolClient, 'query'>;

/**
 * All that is read sees the database at one moment: read one after the other, a run that is replayed meanwhile would be COMPLETED
 * and have no output.
 * @param read asks nothing of the pool: it holds one of its few connections
 */
export async function readSnapshot<Result>(pool: Pool, read: (snapshot: Reader) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  let end = 'ROLLBACK';
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const result = await read(client);
    end = 'COMMIT';
    return result;
  } finally {
    const isOver = await client.query(end).then(
      () => true,
      () => false,
    );
    client.release(!isOver);
  }
}
