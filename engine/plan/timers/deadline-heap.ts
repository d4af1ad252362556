import type { TaskTable } from '../state/task-table.ts';
import type { UndoLog } from '../state/undo-log.ts';

/** The place of a row whose due time stands still. */
const held = -2;

/**
 * The tasks that time will move, soonest first: a binary heap of row numbers that knows each row's place,
 * so that a finished task leaves in O(log n) instead of lingering until its deadline.
 */
export class DeadlineHeap {
  readonly #tasks: TaskTable;
  #rows = new Int32Array(64);
  #size = 0;

  constructor(tasks: TaskTable) {
    this.#tasks = tasks;
  }

  /** The task that is due first, or -1. */
  get first(): number {
    return this.#size === 0 ? -1 : (this.#rows[0] ?? -1);
  }

  /** When the first is due; Infinity when none is. */
  get nextUs(): number {
    const row = this.first;
    return row < 0 ? Infinity : (this.#tasks.dueUs[row] ?? Infinity);
  }

  /** The rows that are due by then, in no order; bounded. */
  due(untilUs: number, most: number): number[] {
    const due: number[] = [];
    const open = [0];
    while (open.length > 0 && due.length < most) {
      const at = open.pop() ?? 0;
      const row = this.#at(at);
      if (row === undefined || (this.#tasks.dueUs[row] ?? Infinity) > untilUs) continue;
      due.push(row);
      open.push(at * 2 + 1, at * 2 + 2);
    }
    return due;
  }

  /** Sets, moves or (with 0) clears a task's due time. */
  set(row: number, dueUs: number, undo?: UndoLog): void {
    const before = this.#tasks.dueUs[row] ?? 0;
    if (before === dueUs) return;
    const place = this.#tasks.heapIndex[row] ?? -1;
    undo?.record(() => {
      this.set(row, before);
      if (place === held) this.hold(row);
    });
    this.#tasks.dueUs[row] = dueUs;
    if (dueUs === 0) {
      if (place >= 0) this.#remove(row, place);
      this.#tasks.heapIndex[row] = -1;
    } else if (place === held) {
      // It moves, and stands still.
    } else if (place < 0) {
      this.#append(row);
    } else {
      this.#rise(row, place);
      this.#sink(row, this.#tasks.heapIndex[row] ?? place);
    }
  }

  /** The task's time stands still: it keeps its due time, and is not due. */
  hold(row: number, undo?: UndoLog): void {
    const place = this.#tasks.heapIndex[row] ?? -1;
    if (place < 0) return;
    this.#remove(row, place);
    this.#tasks.heapIndex[row] = held;
    undo?.record(() => this.release(row, 0));
  }

  /** Its time goes on, so much later than it stood. */
  release(row: number, standstillUs: number, undo?: UndoLog): void {
    if (this.#tasks.heapIndex[row] !== held) return;
    const before = this.#tasks.dueUs[row] ?? 0;
    undo?.record(() => {
      this.set(row, before);
      this.hold(row);
    });
    this.#tasks.heapIndex[row] = -1;
    this.#tasks.dueUs[row] = before + standstillUs;
    this.#append(row);
  }

  isHeld(row: number): boolean {
    return this.#tasks.heapIndex[row] === held;
  }

  /** Of two that are due at once, the one that was queued first. */
  #isBefore(row: number, other: number): boolean {
    const { dueUs, seq } = this.#tasks;
    const [due, otherDue] = [dueUs[row] ?? Infinity, dueUs[other] ?? Infinity];
    return due < otherDue || (due === otherDue && (seq[row] ?? 0) < (seq[other] ?? 0));
  }

  #at(place: number): number | undefined {
    return place < this.#size ? this.#rows[place] : undefined;
  }

  #append(row: number): void {
    if (this.#size === this.#rows.length) {
      const grown = new Int32Array(this.#size * 2);
      grown.set(this.#rows);
      this.#rows = grown;
    }
    this.#size++;
    this.#rise(row, this.#size - 1);
  }

  #place(row: number, at: number): void {
    this.#rows[at] = row;
    this.#tasks.heapIndex[row] = at;
  }

  #rise(row: number, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#at(parent);
      if (above === undefined || !this.#isBefore(row, above)) break;
      this.#place(above, at);
      at = parent;
    }
    this.#place(row, at);
  }

  #sink(row: number, from: number): void {
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      const left = this.#at(child);
      if (left === undefined) break;
      const right = this.#at(child + 1);
      let lower = left;
      if (right !== undefined && this.#isBefore(right, left)) {
        lower = right;
        child++;
      }
      if (!this.#isBefore(lower, row)) break;
      this.#place(lower, at);
      at = child;
    }
    this.#place(row, at);
  }

  #remove(row: number, at: number): void {
    this.#tasks.heapIndex[row] = -1;
    const last = this.#at(this.#size - 1);
    this.#size--;
    if (last === undefined || last === row) return;
    this.#rise(last, at);
    this.#sink(last, this.#tasks.heapIndex[last] ?? at);
  }
}
