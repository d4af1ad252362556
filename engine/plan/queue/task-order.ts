import { LiveFlag } from '../../model/task/live-state.ts';
import type { TaskTable } from '../state/table/task-table.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** Ranks, best first: a retried task goes ahead of every priority. */
export const retryRank = 0;
export const rankCount = 4;

export function rankOf(priority: number): number {
  return rankCount - priority;
}

/** A retried, reassigned or restored task went ahead of the others, and does so again. Not by its attempt: a replay goes on counting, but stands in line. */
export function rankAfterRestart(tasks: TaskTable, row: TaskRow): number {
  return (tasks.retries[row] ?? 0) +
    (tasks.reassigns[row] ?? 0) +
    (tasks.deaths[row] ?? 0) +
    (tasks.unanswered[row] ?? 0) >
    0 || ((tasks.flags[row] ?? 0) & LiveFlag.Restored) !== 0
    ? retryRank
    : rankOf(tasks.priority[row] ?? 1);
}

/** Where a line stands among others: by the task that is next in it. */
export interface Standing {
  rank: number;
  turn: number;
  seq: number;
}

/** Which line goes first, by the tasks that are next in them: best rank, then whose key has waited longest for its turn, then the oldest. */
export function isAhead(a: Standing, b: Standing): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  return a.turn === b.turn ? a.seq < b.seq : a.turn < b.turn;
}

/** What is compared where tasks ask a rate limit: best rank first, inside a rank the oldest. */
export interface Asking {
  readonly rank: number;
  readonly seq: number;
}

export function asksBefore(a: Asking, b: Asking): boolean {
  return a.rank === b.rank ? a.seq < b.seq : a.rank < b.rank;
}
