import { Client, type ClientConfig, type Pool } from 'pg';
import { HatchetError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { postgresConnector } from './sql-client.ts';
import { sqlstateOf } from './sqlstate.ts';

/** As `server_version_num` counts. */
const oldestVersion = 150_000;

/** @param name what pg_stat_activity shows, so that a person can tell the engine's connections apart */
export function connectionConfig(url: string, name: string): ClientConfig {
  return {
    connectionString: url,
    application_name: name,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 5_000,
  };
}

/** For reads and for writes apart from the lane. `statementMs` bounds each: long reads hold back vacuum. */
export function createPool(
  url: string,
  options: { name: string; max: number; statementMs: number; log: Logger },
): Pool {
  // A connection keeps the plan that it made while a table was small and read whole: ten thousand rows later that plan takes minutes.
  return postgresConnector.pool(
    {
      ...connectionConfig(url, options.name),
      max: options.max,
      statement_timeout: options.statementMs,
      options: '-c enable_seqscan=off',
      idleTimeoutMillis: 30_000,
    },
    options.log,
  );
}

/** What a person may see of a database URL. */
export function hidePassword(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = '***';
    for (const name of ['password', 'sslpassword'])
      if (parsed.searchParams.has(name)) parsed.searchParams.set(name, '***');
    return parsed.href;
  } catch {
    return 'the given database URL';
  }
}

/** The driver takes any scheme, and looks for a Postgres there. */
function checkScheme(url: string): void {
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined || ['postgres', 'postgresql', 'socket'].includes(scheme)) return;
  throw new HatchetError('INVALID_ARGUMENT', `${hidePassword(url)} is not the address of a Postgres`, {
    remedy: 'Write it as postgres://user:password@host:5432/database.',
  });
}

/**
 * One connection to a server that is new enough. The caller ends it.
 * @throws HatchetError INVALID_ARGUMENT, POSTGRES_UNREACHABLE, POSTGRES_TOO_OLD
 */
export async function connect(url: string, name: string): Promise<{ client: Client; version: number }> {
  checkScheme(url);
  let client: Client | undefined;
  try {
    client = new Client(connectionConfig(url, name));
    client.on('error', () => undefined); // what it breaks fails by itself
    await client.connect();
    const { rows } = await client.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::integer AS version`,
    );
    const version = rows[0]?.version ?? 0;
    if (version < oldestVersion) {
      throw new HatchetError(
        'POSTGRES_TOO_OLD',
        `${hidePassword(url)} is Postgres ${Math.floor(version / 10_000)}; 15 or newer is needed`,
        {
          remedy: 'Upgrade the server, or leave --database-url out to use the embedded one.',
        },
      );
    }
    return { client, version };
  } catch (cause) {
    await client?.end().catch(() => undefined);
    if (cause instanceof HatchetError) throw cause;
    const why =
      cause instanceof Error
        ? cause.message || (sqlstateOf(cause) ?? ('code' in cause ? String(cause.code) : cause.name))
        : String(cause);
    throw new HatchetError('POSTGRES_UNREACHABLE', `Postgres at ${hidePassword(url)} cannot be used: ${why}`, {
      cause,
      remedy: 'Check the address, the password and that the server runs.',
    });
  }
}

/** @throws HatchetError POSTGRES_UNREACHABLE, POSTGRES_TOO_OLD */
export async function checkServer(url: string): Promise<{ version: number }> {
  const { client, version } = await connect(url, 'hatchet check');
  await client.end().catch(() => undefined);
  return { version };
}
