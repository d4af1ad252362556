import type { ClientBase } from 'pg';
import { HatchetError } from '../base/errors.ts';
import { Sqlstate, sqlstateOf } from './sqlstate.ts';

/** A migration or a day's partitions take seconds; on a large database a minute. */
const longestWaitMs = 60_000;

const readHolder = `
  SELECT a.pid, a.application_name AS name, coalesce(host(a.client_addr), 'this machine') AS host
  FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid = ($1::bigint >> 32)::integer::oid AND l.objid = ($1::bigint & 4294967295)::bigint::oid`;

/**
 * Runs work that one process of a database does at a time.
 * @param lock.what the others do, for whoever waits in vain
 * @throws HatchetError DATABASE_LOCKED when another has not ended its own in time
 */
export async function underAdvisoryLock<T>(
  client: ClientBase,
  lock: { id: number; what: string; waitMs?: number | undefined },
  work: () => Promise<T>,
): Promise<T> {
  await take(client, lock);
  try {
    return await work();
  } finally {
    await client.query('SELECT pg_advisory_unlock($1::bigint)', [lock.id]);
  }
}

async function take(
  client: ClientBase,
  { id, what, waitMs = longestWaitMs }: { id: number; what: string; waitMs?: number | undefined },
): Promise<void> {
  await client.query(`SELECT set_config('lock_timeout', $1, false)`, [`${waitMs}ms`]);
  try {
    await client.query('SELECT pg_advisory_lock($1::bigint)', [id]);
  } catch (error) {
    if (sqlstateOf(error) !== Sqlstate.lockNotAvailable) throw error;
    const { rows } = await client.query<{ pid: number; name: string; host: string }>(readHolder, [id]);
    const [holder] = rows;
    const who =
      holder === undefined
        ? 'another process'
        : `${holder.name || 'another process'} (backend ${holder.pid}, from ${holder.host})`;
    throw new HatchetError('DATABASE_LOCKED', `${who} has been ${what} for more than ${waitMs / 1000} s`, {
      cause: error,
      remedy:
        'Wait until it is done and start again. Where its process hangs, end it, or its backend with pg_terminate_backend.',
      details: holder === undefined ? {} : { pid: holder.pid },
    });
  } finally {
    await client.query('RESET lock_timeout');
  }
}
