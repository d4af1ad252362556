/**
 * Takes one kind of change back, from the numbers that were noted with it. One object serves all changes of its kind, so that
 * noting one makes no garbage.
 */
export interface Inverse {
  undo(a: number, b: number, c: number, d: number): void;
}

/** Numbers that are noted with a change. */
const width = 4;
/** Changes of one transaction for which there is room without growing; more are given back after it. */
const usual = 16_384;

/**
 * How to take back what a transaction did to memory. A transaction that the database refuses leaves no trace:
 * every write to planner state goes through here or records its inverse here.
 */
export class UndoLog {
  readonly #inverses: (Inverse | (() => void))[] = [];
  #numbers = new Float64Array(256 * width);

  /** Records the inverse of a change that was just made, or is about to be. For what is rare: it costs a closure each. */
  record(inverse: () => void): void {
    this.#inverses.push(inverse);
  }

  /** As `record`, for what each task does. */
  note(inverse: Inverse, a: number, b = 0, c = 0, d = 0): void {
    const at = this.#inverses.length * width;
    if (at >= this.#numbers.length) {
      const grown = new Float64Array(Math.max(this.#numbers.length * 2, at + width));
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#inverses.push(inverse);
    this.#numbers[at] = a;
    this.#numbers[at + 1] = b;
    this.#numbers[at + 2] = c;
    this.#numbers[at + 3] = d;
  }

  /** Writes a property. */
  set<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): void {
    const before = target[key];
    if (before === value) return;
    target[key] = value;
    this.record(() => {
      target[key] = before;
    });
  }

  add<T>(to: Set<T>, value: T): void {
    if (to.has(value)) return;
    to.add(value);
    this.record(() => to.delete(value));
  }

  delete<T>(from: Set<T>, value: T): void {
    if (from.delete(value)) this.record(() => from.add(value));
  }

  mark(): number {
    return this.#inverses.length;
  }

  /** Takes back everything since the mark, newest first. */
  rollback(mark = 0): void {
    while (this.#inverses.length > mark) {
      const inverse = this.#inverses.pop();
      const at = this.#inverses.length * width;
      const numbers = this.#numbers;
      if (typeof inverse === 'function') inverse();
      else inverse?.undo(numbers[at] ?? 0, numbers[at + 1] ?? 0, numbers[at + 2] ?? 0, numbers[at + 3] ?? 0);
    }
  }

  clear(): void {
    this.#inverses.length = 0;
    if (this.#numbers.length > usual * width) this.#numbers = new Float64Array(256 * width);
  }
}
