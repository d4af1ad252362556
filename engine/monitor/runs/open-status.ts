import { RunStatus } from '../../model/task/status.ts';
import { LiveFlag } from '../../model/task/live-state.ts';

/*
 * The status of a run that has not ended: RUNNING once any of its tasks has been assigned or has ended, else QUEUED; with one task
 * alone it is EVICTED while that one is. Statements differ in what they have joined, so it stands here once for each of them; the
 * numbers are those of RunStatus and LiveState.
 */

/** Of a task that has no result: what `liveTaskStatus` says of its row `l` of `live`; QUEUED without one. */
export const openTaskStatus = `CASE WHEN l.state IN (3, 4) THEN 2 WHEN l.state = 7 THEN 6 ELSE 1 END`;

/** Of a group of all tasks of a run, each with its row `l` of `live`, or NULL where it has ended. */
export const openRunStatus = `CASE WHEN bool_or(coalesce(l.state IN (3, 4), true)) THEN 2 WHEN bool_or(l.state = 7) THEN CASE WHEN count(*) = 1 THEN 6 ELSE 2 END ELSE 1 END`;

/** Of a row `r` of `run` and a task's row `l` of `live`, or NULL where it has ended: see `TaskDetail.isToCome`. A replay opens what was there before. */
export const taskIsToCome = `coalesce(l.state = 0 AND l.generation = 1 AND NOT r.one_task, false)`;

/** Of a row `l` of `live`, whether its task has been assigned. */
export const liveTaskHasBegun = `l.state IN (3, 4, 7)`;

/** Of a row `l` of `live`, whether its task has no result yet. A run has not ended as long as it has such a row, and no longer. */
export const liveTaskIsOpen = `l.flags & ${LiveFlag.Ended} = 0`;

/**
 * Of a group of a run's open rows `l` of `live` alone, whether the run is past QUEUED: a task without a row has ended. EVICTED counts as RUNNING.
 * A task with its run's id is the only one: no partition of `task` is asked about it.
 */
export const liveRunHasBegun = `bool_or(${liveTaskHasBegun}) OR bool_and(l.task_id <> l.run_id) AND count(*) < (SELECT count(*) FROM task t WHERE t.run_id = l.run_id)`;

/** Whether statuses, of runs or of tasks, are asked for of which `live` has all. */
export function areUnfinished(statuses: readonly RunStatus[]): boolean {
  return statuses.length > 0 && statuses.every((status) => unfinished.has(status));
}

const unfinished: ReadonlySet<RunStatus> = new Set([RunStatus.Queued, RunStatus.Running, RunStatus.Evicted]);

/** Of all tasks of a run, by their statuses. */
export function openStatus(tasks: readonly RunStatus[]): RunStatus {
  if (tasks.length === 1 && tasks[0] === RunStatus.Evicted) return RunStatus.Evicted;
  return tasks.some((status) => status !== RunStatus.Queued) ? RunStatus.Running : RunStatus.Queued;
}
