import { gatherTask } from '../batch-tasks/gather-task.ts';
import type { Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';
import { placementOf, constraintOf } from './task-constraint.ts';

/** Puts a task that has all its places into its action's queue, or among those that wait for its batch. */
export function joinQueue(plan: Plan, row: TaskRow, rank: number, { keepsTurn = false } = {}): void {
  const { state } = plan;
  const { queue, definition } = state.stepOf(row);
  if (definition.batch !== null) return gatherTask(plan, row, { rank, placement: placementOf(state, row), keepsTurn });
  const key = state.extras.get(row)?.turnKey ?? '';
  queue.push(row, { rank, key, constraint: constraintOf(state, row) }, state.undo);
}
