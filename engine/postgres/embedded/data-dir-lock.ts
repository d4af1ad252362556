import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { HatchetError } from '../../base/errors.ts';
import { connectionConfig } from '../connect.ts';
import { isAlive } from './postmaster.ts';

/** Any number will do, as long as it never changes. */
const lockKey = 7_077_700_001;
const prefix = 'hatchet engine pid ';
/** Postgres needs a moment to see that a killed engine's socket is closed. */
const deadHolderMs = 5_000;

const takeLock = 'SELECT pg_try_advisory_lock($1::bigint) AS taken';
const lockHolder = `
  SELECT a.application_name AS name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.classid = ($1::bigint >> 32)::integer::oid AND l.objid = ($1::bigint & 4294967295)::bigint::oid AND l.granted`;

export interface DataDirLock {
  serverVersion: string;
  /** False once its connection is gone, whatever ended it. */
  isHeld(): boolean;
  release(): Promise<void>;
}

/**
 * One engine per data folder. The lock is a connection to the folder's own Postgres: it dies with its process,
 * kill -9 included, and a lock file that outlives its owner cannot exist.
 * @throws HatchetError DATA_DIR_IN_USE, naming the pid
 */
export async function lockDataDir(url: string, dataDir: string): Promise<DataDirLock> {
  const client = new Client(connectionConfig(url, `${prefix}${process.pid}`));
  let held = true;
  client.on('error', () => undefined);
  client.on('end', () => {
    held = false;
  });
  try {
    await client.connect();
    const deadline = Date.now() + deadHolderMs;
    while ((await client.query<{ taken: boolean }>(takeLock, [lockKey])).rows[0]?.taken !== true) {
      const held = await client.query<{ name: string }>(lockHolder, [lockKey]);
      const name = held.rows[0]?.name;
      if (name === undefined) continue; // let go between the two queries
      const pid = Number(name.startsWith(prefix) ? name.slice(prefix.length) : Number.NaN);
      if (pid === process.pid || isAlive(pid) || Date.now() > deadline) {
        throw new HatchetError('DATA_DIR_IN_USE', `another engine (pid ${pid}) uses the data folder ${dataDir}`, {
          details: { pid },
          remedy: 'Attach to it, stop it with `hatchet engine stop`, or choose another folder with --data-dir.',
        });
      }
      await delay(20);
    }
    const { rows } = await client.query<{ version: string }>(`SELECT current_setting('server_version') AS version`);
    return {
      serverVersion: rows[0]?.version ?? '',
      isHeld: () => held,
      release: () => client.end().catch(() => undefined),
    };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
