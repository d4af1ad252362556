/** A worker that writes a file as it starts has written it by this long after it serves. */
const settleMs = 500;
/** So often a worker is started again for a file that may be its own. */
const restarts = 3;

/**
 * Finds a worker that writes a file which it also imports: each start is a change, and each change a start. A person is
 * told from it by the time: nobody saves four times, each time before the start before has settled.
 */
export class SelfWrites {
  #quick = new Map<string, number>();
  #held = new Set<string>();
  /** Until when a change counts as one that the start has made. */
  #settlesAtMs = Number.POSITIVE_INFINITY;

  started(): void {
    this.#settlesAtMs = Number.POSITIVE_INFINITY;
  }

  ready(nowMs: number): void {
    this.#settlesAtMs = nowMs + settleMs;
  }

  /** What to do after a change: start the worker again, say which files it writes, or nothing, since that was said. */
  judge(files: readonly string[], nowMs: number): 'start' | 'hold' | 'held' {
    const isQuick = nowMs < this.#settlesAtMs;
    if (isQuick && this.#held.size > 0 && files.every((file) => this.#held.has(file))) {
      this.#settlesAtMs = nowMs + settleMs;
      return 'held';
    }
    this.#held.clear();
    this.#quick = isQuick ? new Map(files.map((file) => [file, (this.#quick.get(file) ?? 0) + 1])) : new Map();
    if (files.length === 0 || !files.every((file) => (this.#quick.get(file) ?? 0) > restarts)) return 'start';
    this.#held = new Set(files);
    this.#quick.clear();
    this.#settlesAtMs = nowMs + settleMs;
    return 'hold';
  }
}
