import { randomBytes } from 'node:crypto';
import type { Inverse, UndoLog } from './undo-log.ts';
import { isTaskRow, noRow, type TaskRow } from './rows.ts';

/** Four hexadecimal digits of every 16-bit number: formatting an id is eight look-ups (number formatting was 4 % of the engine's CPU). */
const hex4 = Array.from({ length: 0x10000 }, (_, value) => value.toString(16).padStart(4, '0'));

function high(word: number): string {
  return hex4[word >>> 16] ?? '';
}

function low(word: number): string {
  return hex4[word & 0xffff] ?? '';
}

/** The values of hexadecimal digits by character; -1 for all others. */
const digits = Int8Array.from({ length: 128 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(value) ? -1 : value;
});

const dash = '-'.charCodeAt(0);

/** Four digits of an id; negative where one is none. */
function quad(id: string, at: number): number {
  return (
    ((digits[id.charCodeAt(at)] ?? -1) << 12) |
    ((digits[id.charCodeAt(at + 1)] ?? -1) << 8) |
    ((digits[id.charCodeAt(at + 2)] ?? -1) << 4) |
    (digits[id.charCodeAt(at + 3)] ?? -1)
  );
}

/** A word of an id, from its two halves; NaN, which no row has, for what is no id. Slices of the text for parseInt were garbage with each look-up. */
function word(id: string, first: number, second: number): number {
  const above = quad(id, first);
  const below = quad(id, second);
  return (above | below) < 0 ? NaN : ((above << 16) | below) >>> 0;
}

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

/** An odd number that this process alone knows: whoever chooses the ids of his runs cannot choose ids that collide. No order follows from it. */
const secret = randomBytes(4).readUInt32LE() | 1;

/** All 128 bits count: ids that callers choose may differ in any few of them. Each word is mixed in as by MurmurHash3. */
function hashOf(a: number, b: number, c: number, d: number): number {
  let hash = mixed(mixed(mixed(mixed(secret, a), b), c), d);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixed(hash: number, word: number): number {
  let own = Math.imul(word, 0xcc9e2d51);
  own = Math.imul((own << 15) | (own >>> 17), 0x1b873593);
  const next = hash ^ own;
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

const columns = [
  'state',
  'flags',
  'priority',
  'dirty',
  'alive',
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
 * and reused only after the transaction that ended it has committed.
 */
export class TaskTable {
  #capacity = 64;
  #used = 0;
  #free: TaskRow[] = [];
  #idWords = new Uint32Array(64 * 4);
  /** Open addressing, linear probing, at most half full; holds row + 1. */
  #slots = new Int32Array(128);
  /** By the last bits of a row: the row whose id's text is kept there, and the text. */
  readonly #textRows = new Int32Array(keptTexts).fill(noRow);
  readonly #texts: string[] = [];
  #size = 0;
  /** Entries of the index that look-ups have read: how well ids spread. */
  probes = 0;

  /** From the row, the value before, and the column's number. */
  readonly #written: Inverse = {
    undo: (row, before, number) => {
      const column = columns[number];
      if (column !== undefined) this[column][row] = before;
    },
  };
  readonly #added: Inverse = { undo: (row: TaskRow) => this.sweep(row) };

  state = new Uint8Array(64);
  flags = new Uint16Array(64);
  priority = new Uint8Array(64);
  /** 1 while a row of `live` exists for it. */
  persisted = new Uint8Array(64);
  /** 1 while the current transaction will write it. */
  dirty = new Uint8Array(64);
  /** 1 while in use. */
  alive = new Uint8Array(64);
  generation = new Int32Array(64);
  attempt = new Int32Array(64);
  retries = new Int32Array(64);
  reassigns = new Int32Array(64);
  /** Workers that died while they had it; see note-progress.ts for those that no longer count. */
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

  get size(): number {
    return this.#size;
  }

  /** Bytes held by the columns and the index. */
  get bytes(): number {
    return this.#capacity * (9 + 4 * 12 + 1 + 16 + 16) + this.#slots.byteLength;
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

  /** The row of a task that is in the table. */
  find(id: string): TaskRow | undefined {
    const a = word(id, 0, 4);
    const b = word(id, 9, 14);
    const c = word(id, 19, 24);
    const d = word(id, 28, 32);
    const mask = this.#slots.length - 1;
    const words = this.#idWords;
    for (let slot = hashOf(a, b, c, d) & mask; ; slot = (slot + 1) & mask) {
      this.probes++;
      const row = (this.#slots[slot] ?? 0) - 1;
      if (!isTaskRow(row)) return undefined;
      const at = row * 4;
      if (
        words[at] === a &&
        words[at + 1] === b &&
        words[at + 2] === c &&
        words[at + 3] === d &&
        this.alive[row] === 1
      ) {
        this.#keep(row, id);
        return row;
      }
    }
  }

  id(row: TaskRow): string {
    const kept = row & (keptTexts - 1);
    if (this.#textRows[kept] !== row) {
      this.#textRows[kept] = row;
      this.#texts[kept] = this.#text(row);
    }
    return this.#texts[kept] ?? '';
  }

  /** So that nobody has to write it. Only the form that `#text` gives: a caller may write an id in others. */
  #keep(row: TaskRow, id: string): void {
    const kept = row & (keptTexts - 1);
    if (this.#textRows[kept] === row || !isCanonical(id)) return;
    this.#textRows[kept] = row;
    this.#texts[kept] = id;
  }

  #text(row: TaskRow): string {
    const words = this.#idWords;
    const at = row * 4;
    const a = words[at] ?? 0;
    const b = words[at + 1] ?? 0;
    const c = words[at + 2] ?? 0;
    const d = words[at + 3] ?? 0;
    return `${high(a)}${low(a)}-${high(b)}-${low(b)}-${high(c)}-${low(c)}${high(d)}${low(d)}`;
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
    const at = row * 4;
    this.#idWords[at] = word(id, 0, 4);
    this.#idWords[at + 1] = word(id, 9, 14);
    this.#idWords[at + 2] = word(id, 19, 24);
    this.#idWords[at + 3] = word(id, 28, 32);
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
    if ((this.#size + 1) * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    this.#link(row);
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
    this.write('alive', row, 0, undo);
  }

  /** Gives the row of an ended task back, once nothing can undo its end. */
  sweep(row: TaskRow): void {
    this.alive[row] = 0;
    this.#unlink(row);
    this.#free.push(row);
    this.#size--;
  }

  #home(row: number): number {
    const words = this.#idWords;
    const at = row * 4;
    return (
      hashOf(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0) & (this.#slots.length - 1)
    );
  }

  #link(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#home(row);
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  #unlink(row: TaskRow): void {
    const mask = this.#slots.length - 1;
    let hole = this.#home(row);
    for (; this.#slots[hole] !== row + 1; hole = (hole + 1) & mask) {
      // Nothing stands behind an empty slot: to go on would be to go round for ever.
      if (this.#slots[hole] === 0)
        throw new Error(`task row ${row} is not in the index: planner state is inconsistent`);
    }
    // Close the gap: move back every later entry whose home is not between the hole and itself.
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const held = this.#slots[slot] ?? 0;
      if (held === 0) break;
      const home = this.#home(held - 1);
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        this.#slots[hole] = held;
        hole = slot;
      }
    }
    this.#slots[hole] = 0;
  }

  #rehash(size: number): void {
    const held = this.#slots.filter((entry) => entry !== 0);
    this.#slots = new Int32Array(size);
    for (const entry of held) this.#link(entry - 1);
  }

  #next(): TaskRow {
    const row = this.#used++;
    if (isTaskRow(row)) return row;
    throw new Error('the table of tasks has no rows left');
  }

  #grow(): void {
    const size = this.#capacity * 2;
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
    const words = new Uint32Array(size * 4);
    words.set(this.#idWords);
    this.#idWords = words;
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
