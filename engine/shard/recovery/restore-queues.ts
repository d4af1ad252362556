import { LiveState } from '../../model/task/live-state.ts';
import { restoreGathered } from '../../plan/batch-tasks/gather-task.ts';
import { joinQueue } from '../../plan/queue/join-queue.ts';
import { rankAfterRestart } from '../../plan/queue/task-order.ts';
import { constraintOf, placementOf } from '../../plan/queue/task-constraint.ts';
import { standForLine } from '../../plan/rate-limits/wait-for-units.ts';
import { ChangeSet } from '../../plan/state/change-set.ts';
import type { Plan } from '../../plan/state/plan.ts';
import type { TaskRow } from '../../plan/state/table/rows.ts';
import type { ShardTables } from './shard-tables.ts';
import { sortInSlices } from './sort-in-slices.ts';

/** Tasks go back to their places in the order in which they became ready. */
export async function restoreQueues(
  { shard, setAside, slice }: ShardTables,
  queued: readonly TaskRow[],
): Promise<void> {
  const { tasks } = shard;
  const plan = { state: shard, nowUs: shard.seenUs, changes: new ChangeSet() };
  for (const row of await sortInSlices(queued, (each) => tasks.seq[each] ?? 0, slice)) {
    try {
      const rank = rankAfterRestart(shard.tasks, row);
      if (tasks.state[row] === LiveState.Batching) restoreGathered(shard, row, rank, placementOf(shard, row));
      else restoreQueued(plan, row, rank);
    } catch (error) {
      setAside.failTask(tasks.id(row), shard.runIdOf(row), error);
    }
    if (!slice.isOver) continue;
    // Nothing of it is taken back: a million inverses would only fill memory.
    shard.undo.clear();
    await slice.pause();
  }
}

function restoreQueued(plan: Plan, row: TaskRow, rank: number): void {
  const { state } = plan;
  joinQueue(plan, row, rank);
  if (state.tasks.state[row] !== LiveState.RateLimited) return;
  const line = state.stepOf(row).queue.lineOf(constraintOf(state, row));
  if (line !== undefined) standForLine(plan, line, row);
}
