import { LiveState } from '../../model/task/live-state.ts';
import type { Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** Members of a batch are one call: what is asked for one of them, and the timeout of one, holds for those that run with it. */
export function togetherWith({ state }: Plan, row: TaskRow): TaskRow[] {
  const batch = state.batches.ofRow.get(row);
  return batch === undefined
    ? [row]
    : [...batch.rows].filter((member) => state.tasks.state[member] === LiveState.Running);
}
