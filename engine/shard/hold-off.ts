const firstMs = 1_000;
const longestMs = 60_000;

interface Hold {
  fails: number;
  untilUs: number;
}

/** The pauses before the next try of what failed: 1 s, doubled with each failure in a row, up to 60 s. */
export class HoldOff<Key> {
  readonly #holds = new Map<Key, Hold>();

  /** @returns the pause, and how often this has failed in a row */
  failed(key: Key, nowUs: number): { pauseMs: number; fails: number } {
    const fails = (this.#holds.get(key)?.fails ?? 0) + 1;
    const pauseMs = Math.min(firstMs * 2 ** (fails - 1), longestMs);
    this.#holds.set(key, { fails, untilUs: nowUs + pauseMs * 1000 });
    return { pauseMs, fails };
  }

  /** It worked, or is no concern any more. */
  over(key: Key): void {
    this.#holds.delete(key);
  }

  /** What could be tried again by now, and has not failed again, works. */
  lapse(nowUs: number): void {
    for (const [key, { untilUs }] of this.#holds) if (untilUs <= nowUs) this.#holds.delete(key);
  }

  /** Before this it is not tried. 0 for what has not failed. */
  untilUs(key: Key): number {
    return this.#holds.get(key)?.untilUs ?? 0;
  }

  clear(): void {
    this.#holds.clear();
  }
}
