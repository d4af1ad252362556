import type { TaskTable } from '../table/task-table.ts';
import type { Inverse, UndoLog } from '../undo-log.ts';
import { isTaskRow, type TaskRow } from '../table/rows.ts';

/**
 * Tasks that became ready and wait for their verdict, in the order in which they did, whatever their rank: a doubly linked
 * list through the task table. One that ends meanwhile leaves it, so that no row is judged that another task has by then.
 */
export class ArrivalLine {
  readonly id: number;
  readonly #tasks: TaskTable;
  #head = -1;
  #tail = -1;
  length = 0;
  readonly #pushed: Inverse = { undo: (row: TaskRow) => this.#unlink(row) };
  /** From the row, its rank, and the rows before and after. */
  readonly #removed: Inverse = { undo: (row: TaskRow, rank, prev, next) => this.#link(row, rank, prev, next) };

  constructor(options: { id: number; tasks: TaskTable }) {
    this.id = options.id;
    this.#tasks = options.tasks;
  }

  /** The task that came first, if any waits. */
  get head(): TaskRow | undefined {
    return isTaskRow(this.#head) ? this.#head : undefined;
  }

  push(row: TaskRow, rank: number, undo: UndoLog): void {
    this.#link(row, rank, this.#tail, -1);
    undo.note(this.#pushed, row);
  }

  remove(row: TaskRow, undo: UndoLog): void {
    const { rank, prev, next } = this.#tasks;
    undo.note(this.#removed, row, rank[row] ?? 255, prev[row] ?? -1, next[row] ?? -1);
    this.#unlink(row);
  }

  #link(row: TaskRow, rank: number, prev: number, next: number): void {
    const tasks = this.#tasks;
    tasks.rank[row] = rank;
    tasks.list[row] = this.id;
    tasks.prev[row] = prev;
    tasks.next[row] = next;
    if (prev >= 0) tasks.next[prev] = row;
    else this.#head = row;
    if (next >= 0) tasks.prev[next] = row;
    else this.#tail = row;
    this.length++;
  }

  #unlink(row: TaskRow): void {
    const tasks = this.#tasks;
    const prev = tasks.prev[row] ?? -1;
    const next = tasks.next[row] ?? -1;
    if (prev >= 0) tasks.next[prev] = next;
    else this.#head = next;
    if (next >= 0) tasks.prev[next] = prev;
    else this.#tail = prev;
    tasks.prev[row] = tasks.next[row] = tasks.list[row] = -1;
    tasks.rank[row] = 255;
    this.length--;
  }
}
