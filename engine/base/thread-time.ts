import { openSync, readSync } from 'node:fs';

/** Milliseconds that the thread which made it was on a core. Only Linux tells. */
export class ThreadTime {
  readonly #buffer = Buffer.alloc(96);
  readonly #file: number | undefined;

  constructor() {
    try {
      // By now the link names this thread; whoever reads the open file later reads of this one.
      this.#file = openSync('/proc/thread-self/schedstat', 'r');
    } catch {
      this.#file = undefined;
    }
  }

  /** Undefined where it is not known. */
  get cpuMs(): number | undefined {
    if (this.#file === undefined) return undefined;
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0);
    return Number(this.#buffer.toString('latin1', 0, length).split(' ')[0]) / 1e6;
  }
}
