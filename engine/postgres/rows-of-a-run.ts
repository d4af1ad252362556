import { uuidFloor } from '../model/ids/uuid-floor.ts';
import { journalLetters } from '../model/task/journal-letters.ts';
import { latestQueuedMs, queuedTransitions } from '../model/task/queued-by-run.ts';

/*
 * What is not stored a second time where another row says it (docs/adr/0058-rows-of-a-task.md), as SQL that reads both: rows of
 * before are there still. A run of one task (`run.one_task`) is its own task: that has the run's id and step 0, and no row of
 * `task`. Where it completed its result says so, and it has no row of `run_end`. The journal's row of its creation is its own
 * `queued_seq`, mostly.
 */

const queuedKinds = journalLetters(queuedTransitions);

/** SQL: the tasks (id, run_id, step) of a row of `run`. The rows of `task` are looked up for runs of several tasks alone. */
export function tasksOf(run: string): string {
  return `(SELECT t.id, t.run_id, t.step FROM task t WHERE t.run_id = ${run}.id AND NOT ${run}.one_task UNION ALL SELECT ${run}.id, ${run}.id, 0::smallint WHERE ${run}.one_task)`;
}

/*
 * Postgres takes a day's partition of `task` that was never analyzed, as one that is empty never is, for ten pages of rows: it
 * expects hundreds of tasks a run, and hash-joins what is joined to them by `=`, whole tables once for each run. So what belongs to
 * a task is looked up in a subquery that is never flattened: by OFFSET 0, LIMIT or an aggregate. So are the runs of ids whose
 * number it can't know before it runs the statement.
 */

/**
 * SQL: the runs with some ids, looked up one after the other.
 * @param ids a query with the column `id`. It sorts them itself where it may have many more than Postgres expects, which would
 *   else read all else of each of them before it sorts [of 12,000 queued runs 180,000 blocks for a page of 20, in place of 300]
 */
export function runsOf(ids: string): string {
  return `(SELECT u.id, r.tenant_id, r.workflow_id, r.priority, r.metadata, r.parent_task_id, r.one_task FROM (${ids}) u CROSS JOIN LATERAL (SELECT r.* FROM run r WHERE r.id = u.id OFFSET 0) r)`;
}

/** SQL: the row of `live` of a task, to be joined LATERAL. */
export function liveOf(taskId: string): string {
  return `(SELECT l.* FROM live l WHERE l.task_id = ${taskId} OFFSET 0)`;
}

/** SQL: whether a task was assigned to a worker at any time. */
export function wasAssigned(taskId: string, workerId: string): string {
  return `EXISTS (SELECT FROM history h WHERE h.task_id = ${taskId} AND h.worker_id = ${workerId} OFFSET 0)`;
}

/** SQL: the task (id, run_id, step) with an id, of whatever tenant. */
export function taskNamed(id: string): string {
  return `(SELECT t.id, t.run_id, t.step FROM task t WHERE t.id = ${id} UNION ALL SELECT o.id, o.id, 0::smallint FROM run o WHERE o.id = ${id} AND o.one_task)`;
}

/**
 * SQL: the end (status, generation, seq) of a run's newest generation; status 0 where a replay opened it and it has not ended, no
 * row where the first has not. A result has a run's id only where it is that of the run's one task.
 */
export function newestEndOf(runId: string): string {
  return `(SELECT n.status, n.generation, n.seq FROM (SELECT e.status, e.generation, e.seq FROM run_end e WHERE e.run_id = ${runId} UNION ALL SELECT x.status, x.generation, x.seq FROM result x WHERE x.task_id = ${runId} AND x.status = 3) n ORDER BY n.generation DESC, n.status DESC LIMIT 1)`;
}

const queuedRow = `o.id AS task_id, o.queued_seq AS seq, o.tenant_id, 0 AS attempt, '${queuedKinds}' AS kinds, NULL::uuid AS worker_id, NULL::text AS message`;
const journalColumns = 'h.task_id, h.seq, h.tenant_id, h.attempt, h.kinds, h.worker_id, h.message';

/** SQL: the journal's rows of a task, as `history` has them. */
export function journalOf(taskId: string): string {
  return `(SELECT ${journalColumns} FROM history h WHERE h.task_id = ${taskId} UNION ALL SELECT ${queuedRow} FROM run o WHERE o.id = ${taskId} AND o.queued_seq IS NOT NULL)`;
}

/**
 * SQL: the first rows of a tenant's journal from a number on.
 * @param firstId the oldest id that a run may have whose own row tells of it: `queuedSince`
 */
export function journalFrom(given: { tenantId: string; seq: string; firstId: string; limit: string }): string {
  const { tenantId, seq, firstId, limit } = given;
  return `(SELECT j.* FROM (
      (SELECT ${journalColumns} FROM history h WHERE h.tenant_id = ${tenantId} AND h.seq >= ${seq} ORDER BY h.seq LIMIT ${limit})
      UNION ALL
      (SELECT ${queuedRow} FROM run o WHERE o.tenant_id = ${tenantId} AND o.id >= ${firstId} AND o.queued_seq >= ${seq} ORDER BY o.queued_seq LIMIT ${limit})
    ) j ORDER BY j.seq LIMIT ${limit})`;
}

/** The lowest id of a run that was queued at a number or later, and tells of it itself. */
export function queuedSince(seq: number): string {
  return uuidFloor(seq / 1000 - latestQueuedMs);
}
