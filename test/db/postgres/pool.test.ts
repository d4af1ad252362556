import { expect, it } from 'vitest';
import { createLog } from '../../../engine/base/log.ts';
import { createPool } from '../../../engine/postgres/connect.ts';
import { databaseForTest } from '../../helpers/database-fixture.ts';

it('a connection that is lost in the middle of a transaction fails its next statement, and nothing else', async () => {
  const database = await databaseForTest();
  const { client: other } = database;
  const pool = createPool(database.url, { name: 'test pool', max: 1, statementMs: 10_000, log: createLog('silent') });
  try {
    const client = await pool.connect();
    const { rows } = await client
      .query<{ pid: number }>('BEGIN')
      .then(async () => client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'));
    const end = new Promise<void>((resolve) => client.once('end', () => resolve()));
    await other.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await end;
    await expect(client.query('SELECT 1')).rejects.toThrow();
    client.release(true);
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  } finally {
    await pool.end();
  }
});
