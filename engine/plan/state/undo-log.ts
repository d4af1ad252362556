/**
 * Takes one kind of change back, from the numbers that were noted with it. One object serves all changes of its kind, so that
 * noting one makes no garbage.
 */
export interface Inverse {
  undo(a: number, b: number, c: number, d: number): void;
}

/** As `Inverse`, from what was changed, what was there before, and where in it. */
export interface Restore<Target = unknown, Before = unknown, Key = unknown> {
  restore(target: Target, before: Before, key: Key): void;
}

const property: Restore<Record<PropertyKey, unknown>, unknown, PropertyKey> = {
  restore(target, before, key) {
    target[key] = before;
  },
};
const addition: Restore<Set<unknown>> = { restore: (set, value) => set.delete(value) };
const deletion: Restore<Set<unknown>> = { restore: (set, value) => set.add(value) };
const entry: Restore<Map<unknown, unknown>> = {
  restore(map, before, key) {
    if (before === undefined) map.delete(key);
    else map.set(key, before);
  },
};
const push: Restore<unknown[]> = { restore: (array) => array.pop() };

/** Numbers that are noted with a change. */
const width = 4;
/** Changes of one transaction for which there is room without growing; more are given back after it. */
const usual = 16_384;

/** What one transaction did. */
interface Segment {
  readonly changes: (Inverse | Restore | undefined)[];
  readonly length: number;
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly objects: unknown[];
  readonly objectsLength: number;
}

/**
 * How to take back what a transaction did to memory. A transaction that the database refuses leaves no trace:
 * every write to planner state goes through here or notes its inverse here. No change costs a closure, and the stacks keep
 * their room from one transaction to the next: emptied by their length, they would grow anew in each.
 */
export class UndoLog {
  #changes: (Inverse | Restore | undefined)[] = [];
  #length = 0;
  /** The most that it was since the last clearing. */
  #used = 0;
  #numbers = new Float64Array(256 * width);
  /** Target, what was before, and key, of each `Restore` among the changes. */
  #objects: unknown[] = [];
  #objectsLength = 0;
  #objectsUsed = 0;
  /** Of the transaction before, while it is being committed: its room is the present one's after it. */
  #sealed: Segment = { changes: [], length: 0, numbers: new Float64Array(256 * width), objects: [], objectsLength: 0 };

  /** Records the inverse of a change that was just made, or is about to be. */
  note(inverse: Inverse, a: number, b = 0, c = 0, d = 0): void {
    const at = this.#length * width;
    if (at >= this.#numbers.length) {
      const grown = new Float64Array(Math.max(this.#numbers.length * 2, at + width));
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#changes[this.#length++] = inverse;
    this.#numbers[at] = a;
    this.#numbers[at + 1] = b;
    this.#numbers[at + 2] = c;
    this.#numbers[at + 3] = d;
  }

  /** As `note`, for what is not told by numbers. */
  keep<Target, Before>(restore: Restore<Target, Before, undefined>, target: Target, before: Before): void;
  keep<Target, Before, Key>(restore: Restore<Target, Before, Key>, target: Target, before: Before, key: Key): void;
  keep(restore: Restore, target: unknown, before: unknown, key?: unknown): void {
    this.#keep(restore, target, before, key);
  }

  #keep(restore: Restore, target: unknown, before: unknown, key: unknown): void {
    this.#changes[this.#length++] = restore;
    const at = this.#objectsLength;
    this.#objects[at] = target;
    this.#objects[at + 1] = before;
    this.#objects[at + 2] = key;
    this.#objectsLength = at + 3;
  }

  /** Writes a property. */
  set<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): void {
    const before = target[key];
    if (before === value) return;
    target[key] = value;
    this.#keep(property, target, before, key);
  }

  /** Writes several properties. */
  assign<T extends object>(target: T, values: Partial<T>): void {
    for (const key in values) {
      const value = values[key];
      if (value !== undefined) this.set(target, key, value);
    }
  }

  add<T>(to: Set<T>, value: T): void {
    if (to.has(value)) return;
    to.add(value);
    this.#keep(addition, to, value, undefined);
  }

  delete<T>(from: Set<T>, value: T): void {
    if (from.delete(value)) this.#keep(deletion, from, value, undefined);
  }

  /** Sets an entry of a map. */
  put<K, V extends {} | null>(into: Map<K, V>, key: K, value: V): void {
    const before = into.get(key);
    if (before === value) return;
    into.set(key, value);
    this.#keep(entry, into, before, key);
  }

  /** Deletes an entry of a map. */
  remove<K, V extends {} | null>(from: Map<K, V>, key: K): void {
    const before = from.get(key);
    if (from.delete(key)) this.#keep(entry, from, before, key);
  }

  push<T>(onto: T[], value: T): void {
    onto.push(value);
    this.#keep(push, onto, undefined, undefined);
  }

  mark(): number {
    return this.#length;
  }

  /** Nothing is planned that is not stored. */
  get isEmpty(): boolean {
    return this.#length + this.#sealed.length === 0;
  }

  /** Takes back everything since the mark, newest first. */
  rollback(mark = 0): void {
    this.#used = Math.max(this.#used, this.#length);
    this.#objectsUsed = Math.max(this.#objectsUsed, this.#objectsLength);
    while (this.#length > mark) {
      const change = this.#changes[--this.#length];
      if (change === undefined) continue;
      if ('restore' in change) {
        const at = (this.#objectsLength -= 3);
        change.restore(this.#objects[at], this.#objects[at + 1], this.#objects[at + 2]);
        continue;
      }
      const at = this.#length * width;
      const numbers = this.#numbers;
      change.undo(numbers[at] ?? 0, numbers[at + 1] ?? 0, numbers[at + 2] ?? 0, numbers[at + 3] ?? 0);
    }
  }

  /** Nothing of the present transaction is taken back any more. */
  clear(): void {
    // Nothing that is gone is held on to: not what was taken back either, which stands behind the lengths.
    this.#changes.fill(undefined, 0, Math.max(this.#used, this.#length));
    this.#objects.fill(undefined, 0, Math.max(this.#objectsUsed, this.#objectsLength));
    this.#length = this.#used = this.#objectsLength = this.#objectsUsed = 0;
    if (this.#changes.length > usual) this.#changes.length = 0;
    if (this.#objects.length > usual * 3) this.#objects.length = 0;
    if (this.#numbers.length > usual * width) this.#numbers = new Float64Array(256 * width);
  }

  /**
   * The present transaction is being committed: the next one begins, and is the first to be taken back. There is one sealed
   * transaction at most.
   */
  seal(): void {
    if (this.#sealed.length > 0) throw new Error('the transaction before is not committed yet');
    this.#swap();
  }

  /** The sealed transaction is committed: it is not taken back any more. */
  forgetSealed(): void {
    this.#swap();
    this.clear();
    this.#swap();
  }

  /** Takes back the present transaction and the sealed one. */
  rollbackSealed(): void {
    this.rollback();
    this.clear();
    this.#swap();
    this.rollback();
  }

  #swap(): void {
    const sealed = this.#sealed;
    this.#sealed = {
      changes: this.#changes,
      length: this.#length,
      numbers: this.#numbers,
      objects: this.#objects,
      objectsLength: this.#objectsLength,
    };
    this.#changes = sealed.changes;
    this.#length = this.#used = sealed.length;
    this.#numbers = sealed.numbers;
    this.#objects = sealed.objects;
    this.#objectsLength = this.#objectsUsed = sealed.objectsLength;
  }
}
