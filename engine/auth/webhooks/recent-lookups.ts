/** How long an answer counts, a "there is none" as well. */
const recentMs = 1000;
/** Keys whose answers are kept, and keys of one statement. */
const mostKept = 10_000;
const mostAtOnce = 1000;

interface Answer<T> {
  value: T | undefined;
  atMs: number;
}

/**
 * Looks keys up that strangers choose, at the cost of one statement at a time, however many ask: what is asked for while
 * one runs is the next, together.
 */
export class RecentLookups<T> {
  readonly #read: (keys: readonly string[]) => Promise<ReadonlyMap<string, T>>;
  /** The oldest first. */
  readonly #answers = new Map<string, Answer<T>>();
  readonly #wanted = new Map<string, { resolve: (value: T | undefined) => void; reject: (error: unknown) => void }[]>();
  #running = false;
  /** Counts what was forgotten: an answer that was read meanwhile may be of before. */
  #forgotten = 0;

  constructor(read: (keys: readonly string[]) => Promise<ReadonlyMap<string, T>>) {
    this.#read = read;
  }

  find(key: string): Promise<T | undefined> {
    const known = this.#answers.get(key);
    if (known !== undefined && performance.now() - known.atMs < recentMs) return Promise.resolve(known.value);
    return new Promise((resolve, reject) => {
      const waiting = this.#wanted.get(key) ?? [];
      this.#wanted.set(key, waiting);
      waiting.push({ resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  /** What is asked from now on is read anew. */
  forget(key: string): void {
    this.#answers.delete(key);
    this.#forgotten++;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#wanted.size > 0) {
      const batch = [...this.#wanted].slice(0, mostAtOnce);
      for (const [key] of batch) this.#wanted.delete(key);
      const [atMs, forgotten] = [performance.now(), this.#forgotten];
      try {
        const found = await this.#read(batch.map(([key]) => key));
        for (const [key, waiting] of batch) {
          const value = found.get(key);
          if (this.#forgotten === forgotten) this.#keep(key, { value, atMs });
          for (const { resolve } of waiting) resolve(value);
        }
      } catch (error) {
        for (const [, waiting] of batch) for (const { reject } of waiting) reject(error);
      }
    }
    this.#running = false;
  }

  #keep(key: string, answer: Answer<T>): void {
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    if (this.#answers.size > mostKept)
      for (const oldest of this.#answers.keys()) if (this.#answers.delete(oldest)) break;
  }
}
