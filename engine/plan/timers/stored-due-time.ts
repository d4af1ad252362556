import { isWallTime } from '../../model/task/live-state.ts';
import type { ShardState } from '../state/shard-state.ts';
import type { TaskRow } from '../state/table/rows.ts';

/*
 * Time without an engine counts against no deadline: a due time is stored as the shard's own clock, which stands still while no
 * engine owns the shard (`lostUs`); a retry's or a sleep's is wall time.
 */

export function storedDue(state: ShardState, row: TaskRow): number {
  const due = state.deadlines.dueUs(row);
  return due === 0 || isWallTime(state.tasks.state[row] ?? 0) ? due : due - state.lostUs;
}

export function loadedDue(state: ShardState, liveState: number, storedUs: number): number {
  return storedUs === 0 || isWallTime(liveState) ? storedUs : storedUs + state.lostUs;
}
