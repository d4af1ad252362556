import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';

/** Statements a second that Postgres is sent, from its own log: its counters would include its own background work. */
export async function idleRate(databaseUrl: string, dataDir: string, seconds: number): Promise<number> {
  const log = join(dataDir, 'postgres.log');
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('ALTER SYSTEM SET log_min_duration_statement = 0');
  await client.query('SELECT pg_reload_conf()');
  await delay(2_000);
  const before = readFileSync(log, 'utf8').length;
  await delay(seconds * 1000);
  const lines = readFileSync(log, 'utf8').slice(before).split('\n');
  await client.query('ALTER SYSTEM RESET log_min_duration_statement');
  await client.query('SELECT pg_reload_conf()');
  await client.end();
  return Math.round((lines.filter((line) => /ms {2}(execute|statement)/.test(line)).length / seconds) * 100) / 100;
}
