import type { Inverse, UndoLog } from '../undo-log.ts';
import { isTaskRow, noRow, type TaskRow } from './rows.ts';
import { TaskIndex } from './task-index.ts';

const dash = '-'.charCodeAt(0);

/** Of what is an id by its digits. */
function isCanonical(id: string): boolean {
  return (
    id.length === 36 &&
    id.charCodeAt(8) === dash &&
    id.charCodeAt(13) === dash &&
    id.charCodeAt(18) === dash &&
    id.charCodeAt(23) === dash &&
    id.toLowerCase() === id
  );
}

/** Texts of ids that are kept: a transaction asks for each several times. A power of two. */
const keptTexts = 4096;

const columns = [
  'state',
  'flags',
  'priority',
  'dirty',
  'persisted',
  'generation',
  'attempt',
  'retries',
  'reassigns',
  'deaths',
  'unanswered',
  'invocation',
  'run',
  'step',
  'worker',
  'next',
  'prev',
  'rank',
  'list',
  'seq',
] as const;
export type TaskColumn = (typeof columns)[number];
const numbers: ReadonlyMap<TaskColumn, number> = new Map(columns.map((column, index) => [column, index]));

/**
 * Every unfinished task of a shard, as columns: about 90 bytes a task, ids and index included
 * (one object a task took 711). A task is named by its row number, which is stable until the task ends
 * and reused only once the transaction that ended it has committed, and none is planned beside it.
 */
export class TaskTable {
  #capacity = 64;
  #used = 0;
  #free: TaskRow[] = [];
  readonly #index = new TaskIndex((row) => this.alive[row] === 1);
  /** By the last bits of a row: the row whose id's text is kept there, and the text. */
  readonly #textRows = new Int32Array(keptTexts).fill(noRow);
  readonly #texts: string[] = [];
  #size = 0;

  /** From the row, the value before, and the column's number. */
  readonly #written: Inverse = {
    undo: (row, before, number) => {
      const column = columns[number];
      if (column !== undefined) this[column][row] = before;
    },
  };
  readonly #added: Inverse = { undo: (row: TaskRow) => this.sweep(row) };
  readonly #ended: Inverse = {
    undo: (row) => {
      this.alive[row] = 1;
      this.#size++;
    },
  };

  state = new Uint8Array(64);
  flags = new Uint16Array(64);
  priority = new Uint8Array(64);
  /** 1 while a row of `live` exists for it, or will once what is planned is committed. */
  persisted = new Uint8Array(64);
  /** 1 while the current transaction will write it, and from its end on. */
  dirty = new Uint8Array(64);
  /** 1 while in use. */
  alive = new Uint8Array(64);
  generation = new Int32Array(64);
  attempt = new Int32Array(64);
  retries = new Int32Array(64);
  reassigns = new Int32Array(64);
  /** Workers that died while they had it; see worker-deaths.ts for those that no longer count. */
  deaths = new Uint8Array(64);
  /** Workers that did not answer when it was sent to them. */
  unanswered = new Uint8Array(64);
  /** Starts of a durable task. */
  invocation = new Int32Array(64);
  /** Row in the shard's steps. */
  step = new Int32Array(64);
  /** Row in the shard's runs; -1 for a one-task run, whose id is the task's. */
  run = new Int32Array(64);
  /** Row in the shard's workers; -1 while unassigned. */
  worker = new Int32Array(64);
  /** Links of the queue that holds it. */
  next = new Int32Array(64);
  prev = new Int32Array(64);
  /** Its rank in the list that holds it; 255 for none. */
  rank = new Uint8Array(64);
  /** Number of the list that holds it; -1 for none. */
  list = new Int32Array(64);
  /** Place in the deadline heap; -1 for none, -2 for a due time that stands still. */
  heapIndex = new Int32Array(64);
  /** Order of becoming ready. */
  seq = new Float64Array(64);
  /** Microseconds of wall time; 0 for none. What it means follows from the state. */
  dueUs = new Float64Array(64);

  /** How many have not ended. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of the rows that are or were in use, and of the index: what has room for more and was never written to takes no memory. */
  get bytes(): number {
    return this.#used * (9 + 4 * 12 + 1 + 16 + 16) + this.#index.bytes;
  }

  /** The rows in use, in no particular order. */
  *rows(): Generator<TaskRow> {
    for (let row = 0; row < this.#used; row++) if (this.alive[row] === 1 && isTaskRow(row)) yield row;
  }

  /** Tasks by step and state, at `step * width + state`, in one pass over three columns: 5 ms for a million tasks. */
  countStates(steps: number): { counts: Int32Array; width: number } {
    const width = 16;
    const counts = new Int32Array(steps * width);
    const { alive, step, state } = this;
    for (let row = 0; row < this.#used; row++) {
      if (alive[row] !== 1) continue;
      const at = (step[row] ?? 0) * width + (state[row] ?? 0);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    return { counts, width };
  }

  /**
   * By step and state, as `countStates` numbers them, when the one that became ready first did so, and the same of those that were
   * never tried again; Infinity where there is none.
   */
  oldestSeqs(steps: number): { all: Float64Array; untried: Float64Array; width: number } {
    const width = 16;
    const all = new Float64Array(steps * width).fill(Infinity);
    const untried = new Float64Array(steps * width).fill(Infinity);
    const { alive, step, state, seq, retries } = this;
    for (let row = 0; row < this.#used; row++) {
      if (alive[row] !== 1) continue;
      const at = (step[row] ?? 0) * width + (state[row] ?? 0);
      const since = seq[row] ?? 0;
      if (since === 0) continue;
      if (since < (all[at] ?? 0)) all[at] = since;
      if (retries[row] === 0 && since < (untried[at] ?? 0)) untried[at] = since;
    }
    return { all, untried, width };
  }

  /** Entries of the index that look-ups have read: how well ids spread. */
  get probes(): number {
    return this.#index.probes;
  }

  /** The row of a task that is in the table. */
  find(id: string): TaskRow | undefined {
    const row = this.#index.find(id);
    if (!isTaskRow(row)) return undefined;
    this.#keep(row, id);
    return row;
  }

  id(row: TaskRow): string {
    const kept = row & (keptTexts - 1);
    if (this.#textRows[kept] !== row) {
      this.#textRows[kept] = row;
      this.#texts[kept] = this.#index.text(row);
    }
    return this.#texts[kept] ?? '';
  }

  /** So that nobody has to write it. Only the form that the index gives: a caller may write an id in others. */
  #keep(row: TaskRow, id: string): void {
    const kept = row & (keptTexts - 1);
    if (this.#textRows[kept] === row || !isCanonical(id)) return;
    this.#textRows[kept] = row;
    this.#texts[kept] = id;
  }

  /** A row for a new task, zeroed; taken back with the transaction. */
  add(id: string, undo: UndoLog): TaskRow {
    const row = this.insert(id);
    undo.note(this.#added, row);
    return row;
  }

  /** As `add`, without undo: for recovery. */
  insert(id: string): TaskRow {
    const row = this.#free.pop() ?? this.#next();
    if (row >= this.#capacity) this.#grow();
    this.#textRows[row & (keptTexts - 1)] = noRow;
    this.#keep(row, id);
    for (const column of [
      this.state,
      this.flags,
      this.priority,
      this.persisted,
      this.dirty,
      this.generation,
      this.attempt,
      this.retries,
      this.reassigns,
      this.deaths,
      this.unanswered,
      this.invocation,
      this.seq,
      this.dueUs,
    ])
      column[row] = 0;
    this.alive[row] = 1;
    this.step[row] =
      this.run[row] =
      this.worker[row] =
      this.next[row] =
      this.prev[row] =
      this.heapIndex[row] =
      this.list[row] =
        noRow;
    this.rank[row] = 255;
    this.#index.add(row, id);
    this.#size++;
    return row;
  }

  /** Writes one field, undoably. By column name, since a column is replaced when the table grows. */
  write(column: TaskColumn, row: TaskRow, value: number, undo: UndoLog): void {
    const before = this[column][row] ?? 0;
    if (before === value) return;
    this[column][row] = value;
    undo.note(this.#written, row, before, numbers.get(column));
  }

  /** Ends a task: it is no longer found, its row stays reserved until `sweep`. */
  end(row: TaskRow, undo: UndoLog): void {
    if (this.alive[row] === 0) return;
    this.alive[row] = 0;
    this.#size--;
    undo.note(this.#ended, row);
  }

  /** Gives the row of an ended task back, once nothing can undo its end. */
  sweep(row: TaskRow): void {
    if (this.alive[row] === 1) {
      this.alive[row] = 0;
      this.#size--;
    }
    this.#index.remove(row);
    this.#free.push(row);
  }

  #next(): TaskRow {
    const row = this.#used++;
    if (isTaskRow(row)) return row;
    throw new Error('the table of tasks has no rows left');
  }

  /** By four, so that no copy below a million tasks is larger than a quarter of them, in 10 ms; pages that nobody has written to take no memory. */
  #grow(): void {
    const size = this.#capacity * 4;
    const bytes = (old: Uint8Array): Uint8Array<ArrayBuffer> => {
      const grown = new Uint8Array(size);
      grown.set(old);
      return grown;
    };
    const ints = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(size);
      grown.set(old);
      return grown;
    };
    const doubles = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(size);
      grown.set(old);
      return grown;
    };
    this.state = bytes(this.state);
    const flags = new Uint16Array(size);
    flags.set(this.flags);
    this.flags = flags;
    this.priority = bytes(this.priority);
    this.persisted = bytes(this.persisted);
    this.dirty = bytes(this.dirty);
    this.alive = bytes(this.alive);
    this.rank = bytes(this.rank);
    this.generation = ints(this.generation);
    this.attempt = ints(this.attempt);
    this.retries = ints(this.retries);
    this.reassigns = ints(this.reassigns);
    this.deaths = bytes(this.deaths);
    this.unanswered = bytes(this.unanswered);
    this.invocation = ints(this.invocation);
    this.step = ints(this.step);
    this.run = ints(this.run);
    this.worker = ints(this.worker);
    this.next = ints(this.next);
    this.prev = ints(this.prev);
    this.heapIndex = ints(this.heapIndex);
    this.list = ints(this.list);
    this.seq = doubles(this.seq);
    this.dueUs = doubles(this.dueUs);
    this.#capacity = size;
  }
}
