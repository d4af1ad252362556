import type { ClientConfig } from 'pg';
import { delay, processHost, type Host } from '../../base/host.ts';
import type { Logger } from '../../base/log.ts';
import { postgresConnector, type Connector, type Sql, type SqlPool } from '../../postgres/sql-client.ts';
import { type LogPart, StoredLog, type EntrySqlRow, type MetSqlRow } from './stored-durable-logs.ts';

/** A log of no more entries is read on the lane, in a few milliseconds, with all others that a transaction needs. */
export const shortLog = 500;
/** Rows that are read, and made into a log, in one turn of the event loop. */
const pageRows = 500;
/** Logs that are read at the same time. */
const atOnce = 2;
/** Logs that nobody has come for, the newest. */
const mostKept = 4;
/** After Postgres could not be asked. */
const pauseMs = 200;

// Without names: a plan for any task would read as much for each page as for all of them.
export const readPage = `
  WITH page AS MATERIALIZED (
    SELECT * FROM durable_entry e WHERE e.task_id = $1 AND (e.branch, e.node) > ($2, $3) ORDER BY e.branch, e.node LIMIT $4
  )
  SELECT e.task_id, e.branch, e.node, e.kind, e.fingerprint, e.asked, e.invocation, e.seq, e.child_run_id, r.seq AS result_seq, r.status
  FROM page e
  LEFT JOIN LATERAL (
    SELECT r.seq, r.status FROM durable_result r WHERE r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1
  ) r ON true
  ORDER BY e.branch, e.node`;

/** Conditions of open waits that are met already. */
export const readMet = `
    SELECT r.task_id, r.branch, r.node, r.condition, r.payload, r.seq
    FROM durable_result r
    WHERE r.task_id = $1 AND r.condition >= 0
      AND NOT EXISTS (SELECT FROM durable_result w WHERE w.task_id = r.task_id AND w.branch = r.branch AND w.node = r.node AND w.condition = -1)`;

export const readNewEntries = {
  name: 'long_log_new_entries',
  text: `
    SELECT e.task_id, e.branch, e.node, e.kind, e.fingerprint, e.asked, e.invocation, e.seq, e.child_run_id, NULL AS result_seq, NULL AS status
    FROM durable_entry e WHERE e.task_id = $1 AND e.seq > $2 ORDER BY e.branch, e.node`,
};

export const readNewResults = {
  name: 'long_log_new_results',
  text: `SELECT r.task_id, r.branch, r.node, r.condition, r.payload, r.seq, r.status FROM durable_result r WHERE r.task_id = $1 AND r.seq > $2 ORDER BY r.seq`,
};

/**
 * Reads long logs of durable tasks beside the lane, a page a turn of the event loop: 10,000 entries take 0.4 s, for which
 * nobody else is to wait. What was committed since is read on the lane, where nothing changes any more: rows are stored in
 * the order of their sequence numbers, so that those with a higher one than the newest that was seen are all that is missing.
 */
export class LongLogs {
  readonly #pool: SqlPool;
  readonly #host: Host;
  readonly #log: Logger;
  readonly #reading = new Map<string, Promise<void>>();
  readonly #read = new Map<string, { log: StoredLog; oldestBranch: number }>();

  constructor(
    config: ClientConfig,
    log: Logger,
    { host = processHost, connector = postgresConnector }: { host?: Host; connector?: Connector } = {},
  ) {
    this.#log = log;
    this.#host = host;
    this.#pool = connector.pool(
      {
        ...config,
        application_name: 'hatchet logs',
        max: atOnce,
        idleTimeoutMillis: 30_000,
        // A plan that was made while the tables were small would read them whole.
        options: '-c enable_seqscan=off',
      },
      log,
    );
  }

  /** Resolves once it was read, or could not be: then it is asked for again. */
  read(part: LogPart): Promise<void> {
    const { taskId } = part;
    const under = this.#reading.get(taskId);
    if (under !== undefined) return under;
    const reading = this.#readPart(part)
      .then((log) => this.#keep(part, log))
      .catch(async (error: unknown) => {
        this.#log.warn({ err: error, task: taskId }, 'the log of a durable task could not be read; trying again');
        await delay(this.#host, pauseMs);
      })
      .finally(() => this.#reading.delete(taskId));
    this.#reading.set(taskId, reading);
    return reading;
  }

  /**
   * A log that was read, as it is by now.
   * @param client of the lane
   */
  async take(client: Sql, { taskId, oldestBranch }: LogPart): Promise<StoredLog | undefined> {
    const read = this.#read.get(taskId);
    if (read === undefined) return undefined;
    this.#read.delete(taskId);
    if (read.oldestBranch > oldestBranch) return undefined;
    const { log } = read;
    const { seq } = log;
    const entries = await client.query<EntrySqlRow>({ ...readNewEntries, values: [taskId, seq] });
    const results = await client.query<MetSqlRow>({ ...readNewResults, values: [taskId, seq] });
    for (const row of entries.rows) log.add(row);
    for (const row of results.rows) log.meet(row);
    return log;
  }

  async close(): Promise<void> {
    await Promise.all(this.#reading.values());
    await this.#pool.end();
  }

  #keep({ taskId, oldestBranch }: LogPart, log: StoredLog): void {
    this.#read.set(taskId, { log, oldestBranch });
    for (const [oldest] of this.#read) {
      if (this.#read.size <= mostKept) break;
      this.#read.delete(oldest);
    }
  }

  async #readPart(part: LogPart): Promise<StoredLog> {
    const client = await this.#pool.connect();
    try {
      // One snapshot for all pages.
      await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const log = await readPages(client, part);
      await client.query('COMMIT');
      client.release();
      return log;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }
}

async function readPages(client: Sql, { taskId, oldestBranch }: LogPart): Promise<StoredLog> {
  const log = new StoredLog();
  for (let after = { branch: -1, node: -1 }, isFull = true; isFull;) {
    const values = [taskId, after.branch, after.node, pageRows];
    const { rows } = await client.query<EntrySqlRow>(readPage, values);
    for (const row of rows) log.add(row);
    isFull = rows.length === pageRows;
    after = rows.at(-1) ?? after;
    // Behind the signals, which are on branch 0.
    if (after.branch > 0 && after.branch < oldestBranch) after = { branch: oldestBranch, node: -1 };
  }
  const met = await client.query<MetSqlRow>(readMet, [taskId]);
  for (const row of met.rows) log.meet(row);
  return log;
}
