import { setTimeout as delay } from 'node:timers/promises';

/** Asks something that is to answer all the time, and keeps the times for which it did not, where these were long. */
export class Outages {
  readonly #probe: () => Promise<unknown>;
  readonly #leastMs: number;
  readonly #long: { fromMs: number; toMs: number }[] = [];
  #answeredMs = Date.now();
  #stopped = false;
  readonly #asking: Promise<void>;

  /** @param probe rejects where there is no answer @param leastMs shorter times are not kept */
  constructor(probe: () => Promise<unknown>, leastMs: number) {
    this.#probe = probe;
    this.#leastMs = leastMs;
    this.#asking = this.#ask();
  }

  /** Times without an answer, each up to the next answer. */
  get long(): readonly { fromMs: number; toMs: number }[] {
    return this.#long;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#asking;
  }

  async #ask(): Promise<void> {
    while (!this.#stopped) {
      const answered = await this.#probe().then(
        () => true,
        () => false,
      );
      const nowMs = Date.now();
      if (answered) {
        if (nowMs - this.#answeredMs >= this.#leastMs) this.#long.push({ fromMs: this.#answeredMs, toMs: nowMs });
        this.#answeredMs = nowMs;
      }
      await delay(100);
    }
  }
}
