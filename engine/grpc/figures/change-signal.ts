/** Reading figures takes at most this part of the event loop, for all who watch together: where there are many, they come less often. */
const loopShare = 0.05;

export interface Figures<T> {
  /** At most one message in this time. */
  everyMs: number;
  read: () => T;
  /** Two readings that encode alike are not sent twice. */
  encode: (figures: T) => Uint8Array;
}

/** Feeds figures from memory to those who watch: once at the start, then after changes. Nobody watching costs nothing. */
export class ChangeSignal {
  readonly #watchers = new Set<() => void>();

  /** Something may have changed. */
  poke(): void {
    for (const watcher of this.#watchers) watcher();
  }

  async *watch<T>({ everyMs, read, encode }: Figures<T>, signal: AbortSignal): AsyncGenerator<T> {
    let dirty = true;
    let wake = (): void => undefined;
    const poke = (): void => {
      dirty = true;
      wake();
    };
    this.#watchers.add(poke);
    signal.addEventListener('abort', poke);
    try {
      let sent: Uint8Array | undefined;
      while (!signal.aborted) {
        if (!dirty) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        dirty = false;
        const startedAt = performance.now();
        const figures = read();
        const encoded = encode(figures);
        const tookMs = performance.now() - startedAt;
        if (sent === undefined || Buffer.compare(sent, encoded) !== 0) {
          sent = encoded;
          yield figures;
        }
        await pause(Math.max(everyMs, (tookMs / loopShare) * this.#watchers.size), signal);
      }
    } finally {
      signal.removeEventListener('abort', poke);
      this.#watchers.delete(poke);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
