import { status } from '@grpc/grpc-js';
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toServiceError } from '../../../engine/grpc/status.ts';
import { createLog } from '../../../engine/base/log.ts';
import { namedError } from '../../../engine/monitor/named-error.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new Pool({ connectionString: database.url, statement_timeout: 50 });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

it('a read that is too slow is refused by name, not taken for a failure of the engine', async () => {
  const error: unknown = await pool.query('SELECT pg_sleep(60)').then(undefined, (thrown: unknown) => thrown);
  expect(namedError(error)).toMatchObject({ code: 'TOO_SLOW', cause: error });
  expect(toServiceError(error, createLog('silent'))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
});

it('all other errors stay what they are', async () => {
  const error: unknown = await pool.query('SELECT 1 / 0').then(undefined, (thrown: unknown) => thrown);
  expect(namedError(error)).toBe(error);
});
