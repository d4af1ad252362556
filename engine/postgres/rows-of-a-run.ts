/*
 * What is not stored a second time where another row says it (docs/adr/0058-rows-of-a-task.md), as SQL that reads both: rows of
 * before are there still. A run of one task (`run.one_task`) is its own task: that has the run's id and step 0, and no row of
 * `task`. Where it completed its result says so, and it has no row of `run_end`.
 */

/** SQL: the tasks (id, run_id, step) of a row of `run`. The rows of `task` are looked up for runs of several tasks alone. */
export function tasksOf(run: string): string {
  return `(SELECT t.id, t.run_id, t.step FROM task t WHERE t.run_id = ${run}.id AND NOT ${run}.one_task UNION ALL SELECT ${run}.id, ${run}.id, 0::smallint WHERE ${run}.one_task)`;
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
