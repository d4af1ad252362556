import type { TaskRow } from '../../engine/plan/state/table/rows.ts';
import type { PlannerWorker } from '../../engine/plan/queue/planner-worker.ts';
import type { ShardState } from '../../engine/plan/state/shard-state.ts';
import type { TaskTable } from '../../engine/plan/state/table/task-table.ts';

/** The row of a task that a test knows to be in memory. */
export function rowOf(tasks: TaskTable, id: string): TaskRow {
  const row = tasks.find(id);
  if (row === undefined) throw new Error(`task ${id} is not in memory`);
  return row;
}

/** A task's entry in a column; undefined for one that is not in memory. */
export function valueAt(
  column: { readonly [row: number]: number | undefined } | undefined,
  row: TaskRow | undefined,
): number | undefined {
  return row === undefined ? undefined : column?.[row];
}

/** The worker that holds the task; undefined for a task that is on none, or not in memory. */
export function workerOf(state: ShardState, id: string): PlannerWorker | undefined {
  const row = state.tasks.find(id);
  return row === undefined ? undefined : state.workerOf(row);
}
