import { TurnQueue } from '../base/turn-queue.ts';

/** Requests of one tenant that may wait for their turn: each is held in memory already, and its caller waits. */
const mostWaiting = 1_000_000;

/**
 * Long work of the event loop, one piece in a turn of the loop and the tenants in turn: decoding 4 MiB takes it 5 ms, and what
 * several connections have sent at the same time would hold everybody up for the sum.
 */
export class ReadingTurns {
  readonly #waiting = new TurnQueue<() => void>(mostWaiting);
  #scheduled = false;

  take(tenantId: string, work: () => void): void {
    this.#waiting.push(tenantId, work);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.isEmpty) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      // First: work that throws leaves the others their turns.
      const work = this.#waiting.shift();
      this.#schedule();
      work?.();
    });
  }
}
