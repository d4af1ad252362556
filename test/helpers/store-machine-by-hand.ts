import { setImmediate as turn } from 'node:timers/promises';
import type { StoreMachine } from '../simulation/store/store.ts';

/** The time at first. */
export const startUs = 1_800_000_000_123_456;

/** The store's machine as the test moves it: what is delivered arrives by `drain`, in order. */
export class StoreMachineByHand implements StoreMachine {
  #us = startUs;
  #queue: (() => void)[] = [];
  #timers: { atUs: number; run: () => void }[] = [];

  nowUs(): number {
    return this.#us;
  }

  deliver(arrive: () => void): void {
    this.#queue.push(arrive);
  }

  after(ms: number, run: () => void): { clear(): void } {
    const timer = { atUs: this.#us + Math.round(ms * 1000), run };
    this.#timers.push(timer);
    return { clear: () => (this.#timers = this.#timers.filter((each) => each !== timer)) };
  }

  async drain(): Promise<void> {
    for (;;) {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
      await turn();
      if (this.#queue.length === 0) return;
    }
  }

  /** Time passes, and what is due happens. */
  async pass(ms: number): Promise<void> {
    const untilUs = this.#us + ms * 1000;
    for (;;) {
      const [due] = this.#timers.filter(({ atUs }) => atUs <= untilUs).sort((a, b) => a.atUs - b.atUs);
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#us = Math.max(this.#us, due.atUs);
      due.run();
      await this.drain();
    }
    this.#us = untilUs;
  }
}
