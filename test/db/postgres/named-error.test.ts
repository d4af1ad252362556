import { Pool } from 'pg';
import { expect, it } from 'vitest';
import { connectionConfig } from '../../../engine/postgres/connect.ts';
import { namedError } from '../../../engine/postgres/named-error.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();

it('a read for which no connection becomes free is told to come again', async () => {
  const pool = new Pool({ ...connectionConfig(database.url, 'test'), max: 1 });
  const held = await pool.connect();
  pool.options.connectionTimeoutMillis = 50; // on a busy machine, too short to connect in
  const error: unknown = await pool.query('SELECT 1').catch((each: unknown) => namedError(each));
  expect(error).toMatchObject({ code: 'BUSY' });
  held.release();
  await pool.end();
});
