import { Client, Pool, type ClientConfig } from 'pg';
import { HatchetError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { sqlstateOf } from './sqlstate.ts';

const oldestVersion = 150_000;

export function connectionConfig(url: string, name: string): ClientConfig {
  return { connectionString: url, application_name: name, keepAlive: true, connectionTimeoutMillis: 5_000 };
}

/** For reads and for writes apart from the lane. `statementMs` bounds each: long reads hold back vacuum. */
export function createPool(url: string, options: { name: string; max: number; statementMs: number; log: Logger }): Pool {
  const pool = new Pool({ ...connectionConfig(url, options.name), max: options.max, statement_timeout: options.statementMs, idleTimeoutMillis: 30_000 });
  pool.on('error', (error) => options.log.debug({ err: error }, 'an idle connection was lost'));
  return pool;
}

/** What a person may see of a database URL. */
export function hidePassword(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = '***';
    return parsed.href;
  } catch {
    return 'the given database URL';
  }
}

/** @throws HatchetError POSTGRES_UNREACHABLE, POSTGRES_TOO_OLD */
export async function checkServer(url: string): Promise<{ version: number }> {
  const client = new Client(connectionConfig(url, 'hatchet check'));
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number }>(`SELECT current_setting('server_version_num')::integer AS version`);
    const version = rows[0]?.version ?? 0;
    if (version < oldestVersion) {
      throw new HatchetError('POSTGRES_TOO_OLD', `${hidePassword(url)} is Postgres ${Math.floor(version / 10_000)}; 15 or newer is needed`, { remedy: 'Upgrade the server, or leave --database-url out to use the embedded one.' });
    }
    return { version };
  } catch (cause) {
    if (cause instanceof HatchetError) throw cause;
    const why = cause instanceof Error ? cause.message || (sqlstateOf(cause) ?? cause.name) : String(cause);
    throw new HatchetError('POSTGRES_UNREACHABLE', `Postgres at ${hidePassword(url)} cannot be used: ${why}`, { cause, remedy: 'Check the address, the password and that the server runs.' });
  } finally {
    await client.end().catch(() => undefined);
  }
}
