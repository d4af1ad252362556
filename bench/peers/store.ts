/** The Postgres of one contestant in one round, and what it has counted. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { createLog } from '../../engine/base/log.ts';
import { deleteData } from '../../engine/index.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../engine/postgres/embedded/embedded-postgres.ts';

/** With the settings that an engine's own server has: fsync, full_page_writes and synchronous_commit are on. */
export async function startPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, log: createLog('error') });
}

export async function removePostgres(server: EmbeddedPostgres, dataDir: string): Promise<void> {
  await server.stop();
  await deleteData(dataDir);
}

/** A backend hands its counts over when it ends, after each transaction but at most each second, and when it has idled so long. */
const idleFlushMs = 10_000;

export class PostgresCounters {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(url: string): Promise<PostgresCounters> {
    const client = new Client({ connectionString: url, application_name: 'hatchet bench' });
    client.on('error', () => undefined); // the statement under way fails with it
    await client.connect();
    return new PostgresCounters(client);
  }

  close(): Promise<void> {
    return this.#client.end();
  }

  /** Each measurement begins with none of its pages in the WAL. */
  async checkpoint(): Promise<void> {
    await this.#client.query('CHECKPOINT');
  }

  /** Bytes since the cluster was made. */
  async wal(): Promise<number> {
    const { rows } = await this.#client.query<{ bytes: string }>(
      `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes`,
    );
    return Number(rows[0]?.bytes);
  }

  /** Since the cluster was made, in all databases, once every backend has told of its own. */
  async transactions(): Promise<number> {
    const deadline = performance.now() + idleFlushMs + 500;
    while (performance.now() < deadline && (await this.#othersConnected())) await delay(50);
    const { rows } = await this.#client.query<{ count: string }>(
      'SELECT sum(xact_commit + xact_rollback) AS count FROM pg_stat_database',
    );
    return Number(rows[0]?.count);
  }

  /** Besides this one and the one that holds the data folder, which does nothing. */
  async #othersConnected(): Promise<boolean> {
    const { rows } = await this.#client.query<{ others: boolean }>(
      `SELECT count(*) > 0 AS others FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND application_name NOT IN ('hatchet bench', $1)`,
      [`hatchet engine pid ${process.pid}`],
    );
    return rows[0]?.others === true;
  }
}
