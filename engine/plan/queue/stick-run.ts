import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { moveGathered } from '../batch-tasks/gather-task.ts';
import { standForLine } from '../rate-limits/wait-for-units.ts';
import { hasFlag, type Plan } from '../state/plan.ts';
import { constraintOf, placementOf } from './task-constraint.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { PlannerWorker } from './planner-worker.ts';

/** The run's first task decides for all: those that wait already move to lines of their own. */
export function stick(plan: Plan, row: TaskRow, worker: PlannerWorker): void {
  const { state, changes } = plan;
  const { tasks, undo } = state;
  const rows = state.runOf(row)?.taskIds.flatMap((id) => tasks.find(id) ?? []) ?? [row];
  for (const each of rows) {
    const extras = state.extras.get(each);
    if (extras === undefined || extras.stickyWorkerId !== null) continue;
    undo.set(extras, 'stickyWorkerId', worker.id);
    changes.stickies.push({ taskId: tasks.id(each), workerId: worker.id });
    if (tasks.state[each] === LiveState.Batching) moveGathered(plan, each, placementOf(state, each));
    const { queue, definition } = state.stepOf(each);
    const isQueued =
      definition.batch === null &&
      (tasks.state[each] === LiveState.Ready || tasks.state[each] === LiveState.RateLimited);
    if (isQueued && tasks.rank[each] !== 255 && hasFlag(plan, each, LiveFlag.Admitted)) {
      const rank = tasks.rank[each] ?? 0;
      state.lists.leave(each, undo);
      const constraint = constraintOf(state, each);
      queue.push(each, { rank, key: extras.turnKey, constraint }, undo);
      // It has asked for units before others did, and stays ahead of them.
      const line = queue.lineOf(constraint);
      if (line !== undefined && tasks.state[each] === LiveState.RateLimited) standForLine(plan, line, each);
    }
  }
}
