import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../../helpers/test-database.ts';

test('a test database is migrated, has today’s partitions, and can be dropped', async () => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ partitions: string }>(
    'SELECT count(*) AS partitions FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE c.relname = $1',
    ['run'],
  );
  expect(Number(rows[0]?.partitions)).toBe(5);
  await client.end();
  await database.drop();
});

test('a connection that was left open fails the drop', async () => {
  const database = await createTestDatabase({ from: 'empty' });
  const client = new Client({ connectionString: database.url, application_name: 'leaky' });
  client.on('error', () => undefined);
  await client.connect();
  await expect(database.drop()).rejects.toThrow('leaky');
});
