import { randomBytes } from 'node:crypto';

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

/** Entries of an outgrown table that each new entry moves: the move is over long before the next one begins. */
const movedEach = 32;
/** An outgrown table's entry that is no more. */
const removed = -1;

/**
 * The ids of task rows, as four words each, and the rows by them: open addressing, linear probing, at most half full. A table
 * that is outgrown is left in place and moved a few entries with each new one: to move half a million at once takes 100 ms of
 * the event loop.
 */
export class TaskIndex {
  /** A row + 1; 0 for none. */
  #slots = new Int32Array(128);
  /** The table before, as long as some of it is not moved; those from `#moved` on. No entry is added to it. */
  #old: Int32Array<ArrayBuffer> | undefined;
  #moved = 0;
  #size = 0;
  /** By row. */
  #words = new Uint32Array(64 * 4);
  readonly #isAlive: (row: number) => boolean;
  /** Entries that look-ups have read: how well ids spread. */
  probes = 0;
  /** Entries of outgrown tables that were looked at to be moved. */
  moves = 0;

  /** @param isAlive rows that are not are still here until they are removed, and are not found */
  constructor(isAlive: (row: number) => boolean) {
    this.#isAlive = isAlive;
  }

  /** Of the slots, which are written to all over. */
  get bytes(): number {
    return this.#slots.byteLength + (this.#old?.byteLength ?? 0);
  }

  /** @returns -1 for none */
  find(id: string): number {
    const a = word(id, 0, 4);
    const b = word(id, 9, 14);
    const c = word(id, 19, 24);
    const d = word(id, 28, 32);
    const words = this.#words;
    const hash = hashOf(a, b, c, d);
    for (let slots = this.#slots, isLast = this.#old === undefined; ; slots = this.#old ?? slots, isLast = true) {
      const mask = slots.length - 1;
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        this.probes++;
        const entry = slots[slot] ?? 0;
        if (entry === 0) break;
        if (entry === removed) continue;
        const at = (entry - 1) * 4;
        if (
          words[at] === a &&
          words[at + 1] === b &&
          words[at + 2] === c &&
          words[at + 3] === d &&
          this.#isAlive(entry - 1)
        )
          return entry - 1;
      }
      if (isLast) return -1;
    }
  }

  text(row: number): string {
    const words = this.#words;
    const at = row * 4;
    const a = words[at] ?? 0;
    const b = words[at + 1] ?? 0;
    const c = words[at + 2] ?? 0;
    const d = words[at + 3] ?? 0;
    return `${high(a)}${low(a)}-${high(b)}-${low(b)}-${high(c)}-${low(c)}${high(d)}${low(d)}`;
  }

  add(row: number, id: string): void {
    const at = row * 4;
    if (at >= this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 4);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[at] = word(id, 0, 4);
    this.#words[at + 1] = word(id, 9, 14);
    this.#words[at + 2] = word(id, 19, 24);
    this.#words[at + 3] = word(id, 28, 32);
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow();
    this.#move(movedEach);
    this.#link(row);
    this.#size++;
  }

  remove(row: number): void {
    const slot = slotOf(this.#slots, row, this.#hashOf(row));
    if (slot !== undefined) this.#close(slot);
    else this.#removeOld(row);
    this.#size--;
  }

  /** One that is not moved yet stands in the old table alone. Of one that is, what stands there is never moved again. */
  #removeOld(row: number): void {
    const slot = this.#old === undefined ? undefined : slotOf(this.#old, row, this.#hashOf(row));
    if (this.#old === undefined || slot === undefined || slot < this.#moved)
      throw new Error(`task row ${row} is not in the index: planner state is inconsistent`);
    this.#old[slot] = removed;
  }

  #hashOf(row: number): number {
    const words = this.#words;
    const at = row * 4;
    return hashOf(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0);
  }

  #link(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashOf(row) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  /** Closes the gap: moves back every later entry whose home is not between the hole and itself. */
  #close(at: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = at;
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const held = slots[slot] ?? 0;
      if (held === 0) break;
      const home = this.#hashOf(held - 1) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = held;
        hole = slot;
      }
    }
    slots[hole] = 0;
  }

  #grow(): void {
    this.#move(Infinity);
    this.#old = this.#slots;
    this.#moved = 0;
    this.#slots = new Int32Array(this.#old.length * 2);
  }

  #move(most: number): void {
    const old = this.#old;
    if (old === undefined) return;
    const to = Math.min(old.length, this.#moved + most);
    this.moves += to - this.#moved;
    for (; this.#moved < to; this.#moved++) {
      const held = old[this.#moved] ?? 0;
      if (held > 0) this.#link(held - 1);
    }
    if (this.#moved === old.length) this.#old = undefined;
  }
}

function slotOf(slots: Int32Array, row: number, hash: number): number | undefined {
  const mask = slots.length - 1;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    if (slots[slot] === row + 1) return slot;
    // Nothing stands behind an empty slot: to go on would be to go round for ever.
    if (slots[slot] === 0) return undefined;
  }
}
