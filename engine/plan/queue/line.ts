import { IndexedHeap, type HeapItem } from '../state/lists/indexed-heap.ts';
import type { TaskTable } from '../state/table/task-table.ts';
import type { UndoLog } from '../state/undo-log.ts';
import { KeyTurns, type KeyTasks, type TurnCounter } from './round-robin-of-keys.ts';
import { isAhead, type Standing } from './task-order.ts';
import type { Constraint } from './placement.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** The queue of a line, as whoever finds the line elsewhere needs it. */
interface QueueOfLine {
  readonly tenantId: TenantId;
  reopen(line: Line, undo: UndoLog): void;
  awaitUnits(line: Line, undo: UndoLog): void;
  leaveLimit(line: Line, undo: UndoLog): void;
}

/** A rate limit, as a line that waits for it needs it. */
export interface UnitSource {
  readonly tenantId: TenantId;
  readonly key: string;
  enlist(entry: LimitEntry): void;
  dismiss(entry: LimitEntry): void;
}

/** A line's place among those that wait for units of one limit: that of the task that asked for them. */
export interface LimitEntry extends HeapItem {
  readonly limit: UnitSource;
  readonly line: Line;
  /** Whom it stands for. */
  readonly row: TaskRow;
  readonly rank: number;
  readonly seq: number;
  readonly units: number;
  /** It asks more than a full window holds, and holds up nobody. */
  isTooLarge: boolean;
  /** There are units for it, and its line may go on: until it has had its turn, the others stay behind it. */
  isCalled: boolean;
}

export const noClaims: readonly LimitEntry[] = [];

/**
 * The waiting tasks of one action that agree in all that narrows where and when they may start. Either it may go on
 * (`heap` is its queue's), or its next task cannot be started: then it waits as a whole for a worker (`heap` is a place of
 * the queue's index) or for units (none).
 */
export class Line implements HeapItem, Standing {
  readonly constraint: Constraint;
  readonly keys = new Map<string, KeyTasks>();
  readonly #turns = new KeyTurns();
  readonly #tasks: TaskTable;
  /** Among which lines it stands; undefined while it waits for units. */
  heap: LineHeap | undefined;
  at = -1;
  rank = Infinity;
  turn = Infinity;
  seq = Infinity;
  /** Its place in the line of the rate limit that it waits for. */
  entry: LimitEntry | undefined;
  /** While it is called: its places in the lines of the other limits that its task asks. */
  claims: readonly LimitEntry[] = noClaims;
  length = 0;
  readonly queue: QueueOfLine;

  constructor(queue: QueueOfLine, constraint: Constraint, tasks: TaskTable) {
    this.queue = queue;
    this.constraint = constraint;
    this.#tasks = tasks;
  }

  /** The task that is next, if any is. Best rank first; inside a rank the keys take turns, inside a key the oldest. */
  get next(): TaskRow | undefined {
    const first = this.#turns.first();
    return first?.tasks.list.headOf(first.rank);
  }

  /** The key of the task that is next goes behind the others. */
  passTurn(turns: TurnCounter): void {
    const first = this.#turns.first();
    if (first !== undefined) turns.give(first.tasks.queueKey, first.rank);
  }

  /** A key has tasks of the rank. */
  offer(tasks: KeyTasks, rank: number): void {
    this.#turns.offer(tasks, rank);
  }

  /** The key has no tasks in the line. */
  forget(key: string): void {
    const tasks = this.keys.get(key);
    if (tasks !== undefined) this.#turns.forget(tasks);
    this.keys.delete(key);
  }

  /** Where it stands now; undefined for an empty line. */
  standing(): Standing | undefined {
    const first = this.#turns.first();
    if (first === undefined) return undefined;
    const { rank, turn, tasks } = first;
    const head = tasks.list.headOf(rank);
    return { rank, turn, seq: head === undefined ? 0 : (this.#tasks.seq[head] ?? 0) };
  }

  /** Takes its standing from the task that is next: only for the heap that it is in. @returns whether it has one */
  refresh(): boolean {
    const standing = this.standing();
    if (standing !== undefined) Object.assign(this, standing);
    return standing !== undefined;
  }
}

/**
 * Lines by the tasks that are next in them. One whose next task got better moves at once, one whose next task got worse or
 * that is empty when its turn comes.
 */
export class LineHeap {
  readonly #heap = new IndexedHeap<Line>(isAhead);
  get size(): number {
    return this.#heap.size;
  }

  get first(): Line | undefined {
    for (let top = this.#heap.first; top !== undefined; top = this.#heap.first) {
      const { rank, turn, seq } = top;
      if (!top.refresh()) this.#heap.remove(top);
      else if (top.rank === rank && top.turn === turn && top.seq === seq) return top;
      else this.#heap.moved(top);
    }
    return undefined;
  }

  add(line: Line): void {
    if (line.refresh()) this.#heap.add(line);
  }

  /** A task came to the line. */
  grown(line: Line): void {
    if (line.at < 0) return this.add(line);
    line.refresh();
    this.#heap.moved(line);
  }

  remove(line: Line): void {
    this.#heap.remove(line);
  }

  /** The first that passes. Nearly always the first of all: only then are the others asked one by one. */
  find(passes: (line: Line) => boolean): Line | undefined {
    const { first } = this;
    if (first === undefined || passes(first)) return first;
    let best: { line: Line; standing: Standing } | undefined;
    for (const line of this.#heap.items) {
      const standing = passes(line) ? line.standing() : undefined;
      if (standing !== undefined && (best === undefined || isAhead(standing, best.standing))) best = { line, standing };
    }
    return best?.line;
  }
}
