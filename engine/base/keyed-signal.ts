/** Wakes who watches a key when something of it has changed. What nobody watches costs a look-up. */
export class KeyedSignal {
  readonly #watchers = new Map<string, Set<() => void>>();

  /** Whether anybody watches anything. */
  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Each watcher is woken once, however many of its keys are among them. */
  changed(keys: Iterable<string>): void {
    const due = new Set<() => void>();
    for (const key of keys) for (const wake of this.#watchers.get(key) ?? []) due.add(wake);
    for (const wake of due) wake();
  }

  /** @returns ends the watch */
  watch(keys: Iterable<string>, wake: () => void): () => void {
    // Its own function: the same one may watch twice, and each watch ends by itself.
    const own = (): void => wake();
    const watched = new Set(keys);
    for (const key of watched) {
      const watchers = this.#watchers.get(key);
      if (watchers === undefined) this.#watchers.set(key, new Set([own]));
      else watchers.add(own);
    }
    return () => {
      for (const key of watched) {
        const watchers = this.#watchers.get(key);
        if (watchers?.delete(own) === true && watchers.size === 0) this.#watchers.delete(key);
      }
    };
  }

  /** Resolves with the next change of one of the keys, after so long without one, or when the signal aborts. */
  async next(keys: Iterable<string>, { longestMs, signal }: { longestMs: number; signal: AbortSignal }): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        stop();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, longestMs);
      const stop = this.watch(keys, end);
      signal.addEventListener('abort', end);
    });
  }
}
