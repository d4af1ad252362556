import { processHost, type Host } from '../../base/host.ts';
import type { Logger } from '../../base/log.ts';
import { groupBy } from '../../model/group-by.ts';
import { maxPageBytes } from '../../model/limits.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { newestEndOf, tasksOf } from '../../postgres/rows-of-a-run.ts';
import type { Sql } from '../../postgres/sql-client.ts';

/** How one task of an ended run ended. */
export interface TaskResult {
  taskId: string;
  stepName: string;
  output: string | null;
  /** Null for a cancelled task as well. */
  error: string | null;
}

interface ResultSqlRow {
  run_id: string;
  task_id: string;
  step_name: string;
  output: string | null;
  error: string | null;
  /** More than is told; its results are not here. */
  is_large: boolean;
  /** Beyond what is read at once. */
  is_later: boolean;
}

/** Bytes of one run's results that its waiters are told of: SDKs, whose own messages end at 4 MiB, fetch larger ones by REST. */
export const mostResultBytes = 3 * 1024 * 1024;

/** The results of those of the runs that have ended: of a large one none, of the others so many as are within a budget. */
export const endedResults = {
  name: 'ended_results',
  text: `
    SELECT s.run_id, s.task_id, s.step_name, s.is_large, s.upto > $4 AS is_later,
      CASE WHEN NOT s.is_large AND s.upto <= $4 THEN s.output END AS output, CASE WHEN NOT s.is_large AND s.upto <= $4 THEN s.error END AS error
    FROM (
      SELECT s.*, sum(CASE WHEN s.is_large THEN 0 ELSE s.bytes END) OVER (ORDER BY s.run_id) AS upto
      FROM (
        SELECT s.*, sum(s.bytes) OVER (PARTITION BY s.run_id) > $3 AS is_large
        FROM (
          SELECT r.id AS run_id, t.id AS task_id, t.step, v.definition -> 'steps' -> t.step::integer ->> 'name' AS step_name, x.output, x.error,
            coalesce(octet_length(x.output), 0) + coalesce(octet_length(x.error), 0) AS bytes
          FROM unnest($2::uuid[]) AS u (id)
          JOIN run r ON r.id = u.id AND r.tenant_id = $1
          JOIN LATERAL ${newestEndOf('r.id')} e ON e.status <> 0
          JOIN workflow_version v ON v.id = r.version_id
          JOIN LATERAL ${tasksOf('r')} t ON true
          LEFT JOIN LATERAL (SELECT x.output, x.error FROM result x WHERE x.task_id = t.id ORDER BY x.generation DESC LIMIT 1) x ON true
        ) s
      ) s
    ) s
    ORDER BY s.run_id, s.step`,
};

/** Without results where there is more than is told. */
type Listener = (results: readonly TaskResult[]) => void;

/** Who waits for which run's end. Every listener is called once, after the end has committed. */
export class RunEndWaiters {
  readonly #pool: Sql;
  readonly #host: Host;
  readonly #log: Logger;
  readonly #isLive: (tenantId: TenantId, runId: string) => boolean;
  readonly #waiting = new Map<string, { tenantId: TenantId; listeners: Set<Listener> }>();
  /** Runs whose end must be read, gathered over one turn of the loop. */
  #due = new Map<TenantId, Set<string>>();

  constructor(options: {
    pool: Sql;
    log: Logger;
    isLive: (tenantId: TenantId, runId: string) => boolean;
    host?: Host;
  }) {
    this.#pool = options.pool;
    this.#host = options.host ?? processHost;
    this.#log = options.log;
    this.#isLive = options.isLive;
  }

  /**
   * Calls back once the run has ended: soon, if it has already. Never, for an unknown run or another tenant's.
   * @returns stops waiting
   */
  wait(tenantId: TenantId, runId: string, listener: Listener): () => void {
    const key = `${tenantId}/${runId}`;
    const entry = this.#waiting.get(key) ?? { tenantId, listeners: new Set() };
    this.#waiting.set(key, entry);
    entry.listeners.add(listener);
    if (!this.#isLive(tenantId, runId)) this.#read(tenantId, runId);
    return () => {
      entry.listeners.delete(listener);
      if (entry.listeners.size === 0 && this.#waiting.get(key) === entry) this.#waiting.delete(key);
    };
  }

  ended(tenantId: TenantId, runId: string, single: TaskResult | null): void {
    if (this.#waiting.size === 0 || !this.#waiting.has(`${tenantId}/${runId}`)) return;
    if (single === null) this.#read(tenantId, runId);
    else this.#tell(tenantId, runId, [single]);
  }

  /** After a take-over of these tenants' shards, ends may have happened elsewhere. */
  recheckAll(isMeant: (tenantId: TenantId) => boolean): void {
    for (const [key, { tenantId }] of this.#waiting) {
      if (!isMeant(tenantId)) continue;
      const runId = key.slice(tenantId.length + 1);
      if (!this.#isLive(tenantId, runId)) this.#read(tenantId, runId);
    }
  }

  #tell(tenantId: TenantId, runId: string, results: readonly TaskResult[]): void {
    const key = `${tenantId}/${runId}`;
    const entry = this.#waiting.get(key);
    this.#waiting.delete(key);
    for (const listener of entry?.listeners ?? []) listener(results);
  }

  #read(tenantId: TenantId, runId: string): void {
    if (this.#due.size === 0) this.#host.setImmediate(() => this.#readDue());
    const ids = this.#due.get(tenantId) ?? new Set();
    this.#due.set(tenantId, ids);
    ids.add(runId);
  }

  #readDue(): void {
    const due = this.#due;
    this.#due = new Map();
    for (const [tenantId, ids] of due) {
      void this.#readAndTell(tenantId, [...ids]).catch((error: unknown) => {
        this.#log.warn({ err: error, runs: ids.size }, 'results could not be read; trying again');
        const again = this.#host.setTimeout(() => {
          for (const id of ids) if (this.#waiting.has(`${tenantId}/${id}`)) this.#read(tenantId, id);
        }, 500);
        again.unref();
      });
    }
  }

  async #readAndTell(tenantId: TenantId, ids: readonly string[]): Promise<void> {
    for (let left = ids; left.length > 0;) {
      const { rows } = await this.#pool.query<ResultSqlRow>({
        ...endedResults,
        values: [tenantId, left, mostResultBytes, maxPageBytes],
      });
      const byRun = groupBy(rows, (row) => row.run_id);
      const later: string[] = [];
      for (const [runId, results] of byRun) {
        if (results.some((row) => row.is_later)) later.push(runId);
        else
          this.#tell(
            tenantId,
            runId,
            results.flatMap((row) =>
              row.is_large
                ? []
                : [{ taskId: row.task_id, stepName: row.step_name, output: row.output, error: row.error }],
            ),
          );
      }
      left = later;
    }
  }
}
