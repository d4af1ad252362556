/**
 * The turns that the code of one invocation takes. Each is taken in a macrotask of its own, so that all that follows from
 * one (`await`s, `Promise.all`) is done before the next: the order of turns is the order of the code.
 *
 * Results go in the order in which they come, which is the recorded one. Answers come at any time between them; so no
 * result goes while the code waits for an answer. The order then follows from that of the results alone, live and in
 * every replay.
 */
export class Turns {
  readonly #answers: (() => void)[] = [];
  readonly #results: (() => void)[] = [];
  #owed = 0;
  #scheduled: NodeJS.Immediate | undefined;
  #stopped = false;

  /** Whether nothing is left to go, and no answer is to come. */
  get idle(): boolean {
    return this.#scheduled === undefined && this.#owed === 0 && this.#answers.length === 0 && this.#results.length === 0;
  }

  /** The code has asked for something and waits for the answer itself. */
  expectAnswer(): void {
    this.#owed += 1;
  }

  /** An answer that was expected. */
  answer(turn: () => void): void {
    this.#owed -= 1;
    this.#answers.push(turn);
    this.#schedule();
  }

  /** An expected answer that gives the code no turn. */
  waive(): void {
    this.#owed -= 1;
    this.#schedule();
  }

  result(turn: () => void): void {
    this.#results.push(turn);
    this.#schedule();
  }

  /** What has not gone yet never goes. */
  stop(): void {
    this.#stopped = true;
    this.#answers.length = 0;
    this.#results.length = 0;
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
  }

  #schedule(): void {
    if (this.#stopped || this.#scheduled !== undefined || !this.#hasNext()) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.#next()?.();
      this.#schedule();
    });
  }

  #hasNext(): boolean {
    return this.#answers.length > 0 || (this.#owed === 0 && this.#results.length > 0);
  }

  #next(): (() => void) | undefined {
    // A turn may have asked for something since this one was scheduled: looked at only now.
    return this.#answers.shift() ?? (this.#owed === 0 ? this.#results.shift() : undefined);
  }
}
