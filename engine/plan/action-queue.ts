import type { TaskTable } from './task-table.ts';
import type { UndoLog } from './undo-log.ts';
import type { PlannerWorker } from './planner-worker.ts';

/** Ranks, best first: a retried task goes ahead of every priority. */
export const retryRank = 0;
const rankCount = 4;

export function rankOf(priority: number): number {
  return rankCount - priority;
}

/**
 * The tasks of one action that are ready, FIFO inside a rank: four doubly linked lists through the task table,
 * so that a cancelled task leaves in O(1) and a queued one costs no object.
 */
export class ActionQueue {
  readonly tenantId: string;
  readonly action: string;
  readonly #tasks: TaskTable;
  readonly #heads = [-1, -1, -1, -1];
  readonly #tails = [-1, -1, -1, -1];
  length = 0;
  /** Registered for the action and not ended. */
  readonly workers: PlannerWorker[] = [];
  /** Where the search for a free worker starts: ties rotate. */
  turn = 0;

  constructor(tenantId: string, action: string, tasks: TaskTable) {
    this.tenantId = tenantId;
    this.action = action;
    this.#tasks = tasks;
  }

  /** The task to assign next, or -1. */
  get head(): number {
    for (const head of this.#heads) if (head >= 0) return head;
    return -1;
  }

  /** When the task that waits longest became ready; 0 with none. Looks at each rank's head only. */
  get oldestSeq(): number {
    let oldest = Infinity;
    for (const head of this.#heads) if (head >= 0) oldest = Math.min(oldest, this.#tasks.seq[head] ?? Infinity);
    return oldest === Infinity ? 0 : oldest;
  }

  push(row: number, rank: number, undo: UndoLog): void {
    const tail = this.#tails[rank] ?? -1;
    this.#link(row, rank, tail, -1);
    undo.record(() => this.#unlink(row));
  }

  remove(row: number, undo: UndoLog): void {
    const rank = this.#tasks.rank[row] ?? 255;
    const prev = this.#tasks.prev[row] ?? -1;
    const next = this.#tasks.next[row] ?? -1;
    this.#unlink(row);
    undo.record(() => this.#link(row, rank, prev, next));
  }

  #link(row: number, rank: number, prev: number, next: number): void {
    const tasks = this.#tasks;
    tasks.rank[row] = rank;
    tasks.prev[row] = prev;
    tasks.next[row] = next;
    if (prev >= 0) tasks.next[prev] = row;
    else this.#heads[rank] = row;
    if (next >= 0) tasks.prev[next] = row;
    else this.#tails[rank] = row;
    this.length++;
  }

  #unlink(row: number): void {
    const tasks = this.#tasks;
    const rank = tasks.rank[row] ?? 255;
    const prev = tasks.prev[row] ?? -1;
    const next = tasks.next[row] ?? -1;
    if (prev >= 0) tasks.next[prev] = next;
    else this.#heads[rank] = next;
    if (next >= 0) tasks.prev[next] = prev;
    else this.#tails[rank] = prev;
    tasks.prev[row] = tasks.next[row] = -1;
    tasks.rank[row] = 255;
    this.length--;
  }
}
