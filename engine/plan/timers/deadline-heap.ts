import { isWallTime } from '../../model/task/live-state.ts';
import type { TaskTable } from '../state/table/task-table.ts';
import type { Inverse, UndoLog } from '../state/undo-log.ts';
import { isTaskRow, type TaskRow } from '../state/table/rows.ts';

/** Places in a heap are even for wall time and odd for lived time; these are none. */
const nowhere = -1;
const held = -2;

const wall = 0;
const lived = 1;

/** Row numbers, four bytes each. */
class RowList {
  #rows = new Int32Array(64);
  size = 0;

  at(place: number): TaskRow | undefined {
    const row = place < this.size ? this.#rows[place] : undefined;
    return isTaskRow(row) ? row : undefined;
  }

  put(place: number, row: TaskRow): void {
    this.#rows[place] = row;
  }

  push(row: TaskRow): void {
    if (this.size === this.#rows.length) {
      const grown = new Int32Array(this.size * 2);
      grown.set(this.#rows);
      this.#rows = grown;
    }
    this.#rows[this.size++] = row;
  }

  pop(): TaskRow | undefined {
    const last = this.at(this.size - 1);
    if (this.size > 0) this.size--;
    return last;
  }
}

/**
 * The tasks that time will move, soonest first: binary heaps of row numbers that know each row's place, so that a finished
 * task leaves in O(log n) instead of lingering until its deadline.
 *
 * There are two of them. Sleeps and back-offs end at a time of the wall. All other deadlines count the time in which the
 * engine could do its part: a standstill moves them together, by one number and not one by one. Every time that is given
 * or taken here is the wall's; `tasks.dueUs` of a deadline in the second heap is less by the standstills of this process.
 */
export class DeadlineHeap {
  readonly #tasks: TaskTable;
  readonly #heaps = [new RowList(), new RowList()] as const;
  #standstillUs = 0;
  /** From the row, its place before and its due time there. */
  readonly #moved: Inverse = {
    undo: (row: TaskRow, index, dueUs) => {
      const now = this.#tasks.heapIndex[row] ?? nowhere;
      if (now >= 0) this.#remove(row, now);
      this.#tasks.dueUs[row] = dueUs;
      if (index >= 0) this.#push(row, (index & 1) === lived ? lived : wall);
      else this.#tasks.heapIndex[row] = index;
    },
  };

  constructor(tasks: TaskTable) {
    this.#tasks = tasks;
  }

  /** The task that is due first, if any is. */
  get first(): TaskRow | undefined {
    const [asleep, waiting] = [this.#heaps[wall].at(0), this.#heaps[lived].at(0)];
    if (asleep === undefined || waiting === undefined) return asleep ?? waiting;
    const [slept, waited] = [this.dueUs(asleep), this.dueUs(waiting)];
    if (slept !== waited) return slept < waited ? asleep : waiting;
    return (this.#tasks.seq[asleep] ?? 0) < (this.#tasks.seq[waiting] ?? 0) ? asleep : waiting;
  }

  /** When the first is due; Infinity when none is. */
  get nextUs(): number {
    const row = this.first;
    return row === undefined ? Infinity : this.dueUs(row);
  }

  /** When a task is due; 0 for never. One whose time stands still is due so much later than it stands. */
  dueUs(row: TaskRow): number {
    const due = this.#tasks.dueUs[row] ?? 0;
    return due + this.#shiftOf(this.#tasks.heapIndex[row] ?? nowhere);
  }

  /** The engine could not do its part for so long: no deadline counts it. Not while a transaction is being planned. */
  standStill(us: number): void {
    this.#standstillUs += us;
  }

  /** The rows that are due by then, in no order; bounded. */
  due(untilUs: number, most: number): TaskRow[] {
    const due: TaskRow[] = [];
    for (const heap of this.#heaps) {
      const open = [0];
      while (open.length > 0 && due.length < most) {
        const at = open.pop() ?? 0;
        const row = heap.at(at);
        if (row === undefined || this.dueUs(row) > untilUs) continue;
        due.push(row);
        open.push(at * 2 + 1, at * 2 + 2);
      }
    }
    return due;
  }

  /** Sets, moves or (with 0) clears a task's due time. Which heap it is in follows from the task's state. */
  set(row: TaskRow, dueUs: number, undo?: UndoLog): void {
    const { heapIndex } = this.#tasks;
    const index = heapIndex[row] ?? nowhere;
    const scale = isWallTime(this.#tasks.state[row] ?? 0) ? wall : lived;
    if (this.dueUs(row) === dueUs && (dueUs === 0 || index === held || (index & 1) === scale)) return;
    this.#recordPlace(row, undo);
    if (index === held && dueUs !== 0) {
      this.#tasks.dueUs[row] = dueUs; // it moves, and stands still
      return;
    }
    const stays = index >= 0 && (index & 1) === scale && dueUs !== 0;
    if (index >= 0 && !stays) this.#remove(row, index);
    this.#tasks.dueUs[row] = dueUs === 0 ? 0 : dueUs - (scale === lived ? this.#standstillUs : 0);
    if (dueUs === 0) {
      heapIndex[row] = nowhere;
    } else if (stays) {
      this.#rise(row, index >> 1, scale);
      this.#sink(row, (heapIndex[row] ?? index) >> 1, scale);
    } else {
      this.#push(row, scale);
    }
  }

  /**
   * The task is queued, with another number. That says who goes first of those that are due at once: the task has left its heap
   * when it changes, here and where it is undone.
   */
  queue(row: TaskRow, { seq, dueUs }: { seq: number; dueUs: number }, undo: UndoLog): void {
    this.set(row, 0, undo);
    this.#tasks.write('seq', row, seq, undo);
    this.set(row, dueUs, undo);
  }

  /** The task's time stands still: it keeps its due time, and is not due. */
  hold(row: TaskRow, undo?: UndoLog): void {
    const index = this.#tasks.heapIndex[row] ?? nowhere;
    if (index < 0) return;
    this.#recordPlace(row, undo);
    const dueUs = this.dueUs(row);
    this.#remove(row, index);
    this.#tasks.heapIndex[row] = held;
    this.#tasks.dueUs[row] = dueUs;
  }

  /** Its time goes on, so much later than it stood. */
  release(row: TaskRow, standstillUs: number, undo?: UndoLog): void {
    if (this.#tasks.heapIndex[row] !== held) return;
    this.#recordPlace(row, undo);
    this.#tasks.dueUs[row] = (this.#tasks.dueUs[row] ?? 0) + standstillUs - this.#standstillUs;
    this.#push(row, lived);
  }

  isHeld(row: TaskRow): boolean {
    return this.#tasks.heapIndex[row] === held;
  }

  #shiftOf(index: number): number {
    return index >= 0 && (index & 1) === lived ? this.#standstillUs : 0;
  }

  #recordPlace(row: TaskRow, undo: UndoLog | undefined): void {
    if (undo === undefined) return;
    const index = this.#tasks.heapIndex[row] ?? nowhere;
    const dueUs = this.#tasks.dueUs[row] ?? 0;
    undo.note(this.#moved, row, index, dueUs);
  }

  /** Of two that are due at once, the one that was queued first. */
  #isBefore(row: TaskRow, other: number): boolean {
    const { dueUs, seq } = this.#tasks;
    const [due, otherDue] = [dueUs[row] ?? Infinity, dueUs[other] ?? Infinity];
    return due < otherDue || (due === otherDue && (seq[row] ?? 0) < (seq[other] ?? 0));
  }

  #push(row: TaskRow, scale: 0 | 1): void {
    const heap = this.#heaps[scale];
    heap.push(row);
    this.#rise(row, heap.size - 1, scale);
  }

  #place(row: TaskRow, at: number, scale: 0 | 1): void {
    this.#heaps[scale].put(at, row);
    this.#tasks.heapIndex[row] = at * 2 + scale;
  }

  #rise(row: TaskRow, from: number, scale: 0 | 1): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heaps[scale].at(parent);
      if (above === undefined || !this.#isBefore(row, above)) break;
      this.#place(above, at, scale);
      at = parent;
    }
    this.#place(row, at, scale);
  }

  #sink(row: TaskRow, from: number, scale: 0 | 1): void {
    const heap = this.#heaps[scale];
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      const left = heap.at(child);
      if (left === undefined) break;
      const right = heap.at(child + 1);
      let lower = left;
      if (right !== undefined && this.#isBefore(right, left)) {
        lower = right;
        child++;
      }
      if (!this.#isBefore(lower, row)) break;
      this.#place(lower, at, scale);
      at = child;
    }
    this.#place(row, at, scale);
  }

  #remove(row: TaskRow, index: number): void {
    const scale = (index & 1) === lived ? lived : wall;
    this.#tasks.heapIndex[row] = nowhere;
    const last = this.#heaps[scale].pop();
    if (last === undefined || last === row) return;
    this.#rise(last, index >> 1, scale);
    this.#sink(last, (this.#tasks.heapIndex[last] ?? index) >> 1, scale);
  }
}
