import { setImmediate as turn } from 'node:timers/promises';
import type { EngineTime } from '../base/engine-options.ts';
import type { DueTimers } from '../shard/fire-crons-and-schedules.ts';
import type { Owner } from '../shard/owner.ts';
import { QuietAttempts, roundMs } from './quiet-attempts.ts';

/** Time as whoever moves the engine's clock needs it. Costs nothing until it is asked. */
export class EngineQuiet implements EngineTime {
  readonly #owner: Owner;
  readonly #dueTimers: DueTimers;
  readonly #waiting = new Set<() => void>();
  readonly #attempts: QuietAttempts;

  constructor(options: { owner: Owner; dueTimers: DueTimers }) {
    this.#owner = options.owner;
    this.#dueTimers = options.dueTimers;
    this.#attempts = new QuietAttempts(options.owner);
  }

  nextDueMs(): number {
    let first = Infinity;
    for (const state of this.#owner.states) first = Math.min(first, this.#owner.nextDueUs(state));
    return first / 1000;
  }

  moved(): void {
    this.#owner.wakeForTimers();
  }

  /** Called with every commit. */
  committedNow(): void {
    for (const wake of this.#waiting) wake();
  }

  async committed(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
  }

  async quiet({ patienceMs }: { patienceMs: number }): Promise<void> {
    for (;;) {
      await this.#idle();
      if (this.#isDue()) {
        this.#owner.wakeForTimers();
        await turn();
        continue;
      }
      if (!this.#attempts.mayAnyGoOn(patienceMs)) return;
      const round = AbortSignal.timeout(roundMs);
      await this.committed(round);
      if (round.aborted) this.#attempts.roundPassed();
    }
  }

  /** No command is under way, and no timer is being fired. */
  async #idle(): Promise<void> {
    await turn();
    await this.#owner.idle();
    await this.#dueTimers.idle();
    await this.#owner.idle();
  }

  #isDue(): boolean {
    const { nowUs } = this.#owner;
    return [...this.#owner.states].some((state) => this.#owner.nextDueUs(state) <= nowUs);
  }
}
