/**
 * How to take back what a transaction did to memory. A transaction that the database refuses leaves no trace:
 * every write to planner state goes through here or records its inverse here.
 */
export class UndoLog {
  #inverses: (() => void)[] = [];

  /** Records the inverse of a change that was just made, or is about to be. */
  record(inverse: () => void): void {
    this.#inverses.push(inverse);
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
    while (this.#inverses.length > mark) this.#inverses.pop()?.();
  }

  clear(): void {
    this.#inverses = [];
  }
}
