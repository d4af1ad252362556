import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { inject } from 'vitest';
import { withDatabase } from './database-url.ts';

export interface TestDatabase {
  url: string;
  /** Removes it. Fails when a connection to it was left open: whoever started it did not stop. */
  drop(): Promise<void>;
}

/** Connections end on the server a moment after their client's. */
const leakLimitMs = 3_000;

const templates = { empty: 'template0', migrated: 'tpl_migrated', prepared: 'tpl_prepared' } as const;

export interface DatabaseOptions {
  /** `prepared` (default): migrated, with the day partitions of today; `migrated`: without them; `empty`. */
  from?: keyof typeof templates;
}

async function admin<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function leftConnections(client: Client, name: string): Promise<string[]> {
  const deadline = Date.now() + leakLimitMs;
  for (;;) {
    const { rows } = await client.query<{ who: string }>(
      `SELECT format('%s (%s): %s', application_name, state, left(query, 80)) AS who FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`,
      [name],
    );
    if (rows.length === 0 || Date.now() > deadline) return rows.map((row) => row.who);
    await delay(20);
  }
}

/** A database in the run's Postgres. Tests have it by `databaseFixture` or `engineFixture`. */
export async function createTestDatabase(options: DatabaseOptions = {}): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const template = templates[options.from ?? 'prepared'];
  await admin((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return {
    url: withDatabase(inject('postgresUrl'), name),
    drop: () =>
      admin(async (client) => {
        const left = await leftConnections(client, name);
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
        if (left.length > 0) throw new Error(`${left.length} connections were left open:\n${left.join('\n')}`);
      }),
  };
}
