import { Client } from 'pg';
import { HatchetError } from '../errors.ts';
import { connectionConfig } from './connect.ts';

/** Any number will do, as long as it never changes. */
const lockKey = 7_077_700_001;
const prefix = 'hatchet engine pid ';

const holder = `
  SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.classid = ($1::bigint >> 32)::integer::oid AND l.objid = ($1::bigint & 4294967295)::bigint::oid AND l.granted`;

/**
 * One engine per data folder. The lock is a connection to the folder's own Postgres: it dies with its process,
 * kill -9 included, and a lock file that outlives its owner cannot exist.
 */
export class DataDirLock {
  readonly #url: string;
  readonly #dataDir: string;
  #client: Client | undefined;

  constructor(url: string, dataDir: string) {
    this.#url = url;
    this.#dataDir = dataDir;
  }

  /** Takes the lock, or takes it again after Postgres was restarted. @throws HatchetError DATA_DIR_IN_USE */
  async take(): Promise<void> {
    const client = new Client(connectionConfig(this.#url, `${prefix}${process.pid}`));
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS taken', [lockKey]);
    if (rows[0]?.taken !== true) {
      const held = await client.query<{ application_name: string }>(holder, [lockKey]);
      await client.end();
      const name = held.rows[0]?.application_name ?? '';
      const pid = name.startsWith(prefix) ? name.slice(prefix.length) : 'unknown';
      throw new HatchetError('DATA_DIR_IN_USE', `another engine (pid ${pid}) uses the data folder ${this.#dataDir}`, {
        details: { pid },
        remedy: 'Attach to it, stop it with `hatchet engine stop`, or choose another folder with --data-dir.',
      });
    }
    this.#client = client;
  }

  async release(): Promise<void> {
    await this.#client?.end().catch(() => undefined);
    this.#client = undefined;
  }
}
