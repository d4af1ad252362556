/** A history of runs that ended, as the engine stores them. */
import { Client, escapeLiteral as literal } from 'pg';
import { dayMs } from '../../../engine/postgres/schema/day-partitions.ts';
import { preparePartitions } from '../../../engine/postgres/schema/prepare-partitions.ts';

/** As long as runs are kept by default. */
export const historyDays = 30;
/** Of a run that completed: of `run`, of `result`, and two of `history`. The few that failed have seven. */
export const rowsOfRun = 4;
/** One of so many failed. */
const runsPerFailure = 100;
const runsOfStatement = 250_000;
/** From yesterday to three days ahead. */
const daysPrepared = 5;

const error = JSON.stringify({ message: 'no answer', stack: 'Error: no answer\n    at fn (/app/tasks.ts:12:9)' });

/**
 * Runs of one task each, of the tenant's newest workflow and worker, evenly over the days before now: from $2 to $3 of $1, the
 * oldest first. The rows are those that `engine/commit/statements` write for a task on a busy engine, whose start and end come in
 * one frame; what each transition's row holds is decided by `journal` in `engine/plan/state/plan.ts`.
 */
const fill = `
  WITH made AS MATERIALIZED (
    SELECT n, n % ${runsPerFailure} = 0 AS failed, id, (extract(epoch FROM uuid_extract_timestamp(id)) * 1e6)::bigint AS us
    FROM (
      SELECT n, uuidv7(-make_interval(secs => ${historyDays * 86_400} * (1 - n / $1::double precision))) AS id
      FROM generate_series($2::bigint, $3::bigint) n
    ) i
  ),
  by AS MATERIALIZED (
    SELECT v.tenant_id, v.workflow_id, v.id AS version_id, (SELECT w.id FROM worker w WHERE w.tenant_id = v.tenant_id ORDER BY w.id DESC LIMIT 1) AS worker_id
    FROM workflow_version v ORDER BY v.id DESC LIMIT 1
  ),
  runs AS (
    INSERT INTO run (id, tenant_id, workflow_id, version_id, priority, input, metadata, one_task, queued_seq)
    SELECT id, tenant_id, workflow_id, version_id, 1, json_build_object('i', n, 'body', left(repeat(md5(n::text), 5), 150))::text, '{}', true, us + 1000
    FROM made, by
  ),
  ends AS (
    INSERT INTO run_end (tenant_id, status, run_id, generation, seq) SELECT tenant_id, 4, id, 1, us + 30004 FROM made, by WHERE failed
  ),
  results AS (
    INSERT INTO result (task_id, generation, status, attempt, seq, output, error)
    SELECT id, 1, CASE WHEN failed THEN 4 ELSE 3 END, 0, us + 30002, CASE WHEN NOT failed THEN '{}' END, CASE WHEN failed THEN ${literal(error)} END
    FROM made
  )
  INSERT INTO history (task_id, seq, tenant_id, attempt, kinds, worker_id, message)
  SELECT id, us + at, tenant_id, 0, kinds, worker_id, message
  FROM made, by, LATERAL (VALUES
    (true, 10000, 'A', NULL), (NOT failed, 30000, 'TSFc', NULL),
    (failed, 30000, 'TS', NULL), (failed, 30001, 'X', 'no answer'), (failed, 30003, 'f', NULL)
  ) t (has, at, kinds, message)
  WHERE has`;

/**
 * Stores so many rows beside what is there. A worker has to have brought its workflow before. Resolves once nothing is left of it
 * for autovacuum or a checkpoint to do.
 * @param tell called now and then with the number of rows that are stored
 */
export async function fillHistory(url: string, rows: number, tell: (rows: number) => void): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'hatchet bench' });
  client.on('error', () => undefined); // the statement under way fails with it
  await client.connect();
  try {
    for (let back = historyDays + 1; back > 0; back -= daysPrepared)
      await preparePartitions(client, Date.now() - (back - 1) * dayMs);
    const runs = Math.round(rows / rowsOfRun);
    for (let from = 0; from < runs; from += runsOfStatement) {
      const to = Math.min(runs, from + runsOfStatement);
      await client.query(fill, [runs, from, to - 1]);
      tell(to * rowsOfRun);
    }
    await client.query('VACUUM (ANALYZE) run, result, run_end, history');
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}
