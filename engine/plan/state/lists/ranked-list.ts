import type { TaskTable } from '../table/task-table.ts';
import type { Inverse, UndoLog } from '../undo-log.ts';
import { rankCount } from '../../queue/task-order.ts';
import { isTaskRow, type TaskRow } from '../table/rows.ts';

const unheard: ListChange = () => undefined;

/** Shared by all lists of a shard. */
export interface ListInverses {
  /** From the row and the list's number. */
  readonly inserted: Inverse;
  /** From the row, the list's number times 256 plus the rank, and the rows before and after. */
  readonly removed: Inverse;
}

/** Told of every task that comes (1) or goes (-1), also when that is undone: then without a log. */
export type ListChange = (rank: number, by: 1 | -1, row: TaskRow, undo: UndoLog | undefined) => void;

/**
 * Waiting tasks by rank, and inside a rank by the order in which they became ready: four doubly linked lists through the
 * task table, so that a cancelled task leaves in O(1) and a waiting one costs no object. A task is in one list at most.
 */
export class RankedList {
  readonly id: number;
  readonly #tasks: TaskTable;
  readonly #heads = [-1, -1, -1, -1];
  readonly #tails = [-1, -1, -1, -1];
  readonly #changed: ListChange;
  readonly #inverses: ListInverses;
  length = 0;

  constructor(options: { id: number; tasks: TaskTable; inverses: ListInverses; changed?: ListChange }) {
    this.id = options.id;
    this.#tasks = options.tasks;
    this.#changed = options.changed ?? unheard;
    this.#inverses = options.inverses;
  }

  /** The first task of the best rank, if any waits. */
  get head(): TaskRow | undefined {
    for (const head of this.#heads) if (isTaskRow(head)) return head;
    return undefined;
  }

  headOf(rank: number): TaskRow | undefined {
    const head = this.#heads[rank];
    return isTaskRow(head) ? head : undefined;
  }

  after(row: TaskRow): TaskRow | undefined {
    const next = this.#tasks.next[row];
    if (isTaskRow(next)) return next;
    for (let rank = (this.#tasks.rank[row] ?? rankCount) + 1; rank < rankCount; rank++) {
      const head = this.#heads[rank];
      if (isTaskRow(head)) return head;
    }
    return undefined;
  }

  /** Takes its place by `seq`; nearly always at the tail. */
  insert(row: TaskRow, rank: number, undo: UndoLog): void {
    const { seq, prev } = this.#tasks;
    const own = seq[row] ?? 0;
    let after = this.#tails[rank] ?? -1;
    while (after >= 0 && (seq[after] ?? 0) > own) after = prev[after] ?? -1;
    const next = after >= 0 ? (this.#tasks.next[after] ?? -1) : (this.#heads[rank] ?? -1);
    this.#link(row, rank, after, next, undo);
    undo.note(this.#inverses.inserted, row, this.id);
  }

  remove(row: TaskRow, undo: UndoLog): void {
    const rank = this.#tasks.rank[row] ?? 255;
    const prev = this.#tasks.prev[row] ?? -1;
    const next = this.#tasks.next[row] ?? -1;
    this.#unlink(row, undo);
    undo.note(this.#inverses.removed, row, this.id * 256 + rank, prev, next);
  }

  /** Undoes `insert`. */
  takeOut(row: TaskRow): void {
    this.#unlink(row);
  }

  /** Undoes `remove`. */
  putBack(row: TaskRow, rank: number, prev: number, next: number): void {
    this.#link(row, rank, prev, next);
  }

  #link(row: TaskRow, rank: number, prev: number, next: number, undo?: UndoLog): void {
    const tasks = this.#tasks;
    tasks.rank[row] = rank;
    tasks.list[row] = this.id;
    tasks.prev[row] = prev;
    tasks.next[row] = next;
    if (prev >= 0) tasks.next[prev] = row;
    else this.#heads[rank] = row;
    if (next >= 0) tasks.prev[next] = row;
    else this.#tails[rank] = row;
    this.length++;
    this.#changed(rank, 1, row, undo);
  }

  #unlink(row: TaskRow, undo?: UndoLog): void {
    const tasks = this.#tasks;
    const rank = tasks.rank[row] ?? 255;
    const prev = tasks.prev[row] ?? -1;
    const next = tasks.next[row] ?? -1;
    if (prev >= 0) tasks.next[prev] = next;
    else this.#heads[rank] = next;
    if (next >= 0) tasks.prev[next] = prev;
    else this.#tails[rank] = prev;
    tasks.prev[row] = tasks.next[row] = tasks.list[row] = -1;
    tasks.rank[row] = 255;
    this.length--;
    this.#changed(rank, -1, row, undo);
  }
}
