/** Calls of one kind, one after the other at a rate, until it is stopped; and what became of them. */
export class Load {
  readonly failures: string[] = [];
  /** How long each call took. */
  readonly tookMs: number[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #call: (n: number) => Promise<unknown>;
  #calls = 0;
  #timer: NodeJS.Timeout;

  constructor(everyMs: number, call: (n: number) => Promise<unknown>) {
    this.#call = call;
    this.#timer = setInterval(() => this.#next(), everyMs);
  }

  #next(): void {
    const n = ++this.#calls;
    const since = performance.now();
    const calling = this.#call(n)
      .then(
        () => undefined,
        (error: unknown) => void this.failures.push(`${n}: ${String(error)}`),
      )
      .finally(() => {
        this.tookMs.push(performance.now() - since);
        this.#open.delete(calling);
      });
    this.#open.add(calling);
  }

  /** Resolves with how many calls there were, once all have ended. */
  async end(): Promise<number> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    return this.#calls;
  }
}
