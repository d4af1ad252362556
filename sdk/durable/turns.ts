/** An answer that the code waits for, until it has had its turn. */
export interface Due {
  turn: (() => void) | undefined;
}

/**
 * The turns that the code of one invocation takes. Each is taken in a macrotask of its own, so that all that follows from
 * one (`await`s, `Promise.all`) is done before the next: the order of turns is the order of the code.
 *
 * Results go in the order in which they come, which is the recorded one. Answers come at any time between them, and go in
 * the order in which the code has asked; no result goes while the code waits for an answer. The order then follows from that
 * of the results alone, live and in every replay.
 */
export class Turns {
  readonly #due: Due[] = [];
  readonly #results: (() => void)[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #stopped = false;

  /** Whether nothing is left to go, and no answer is to come. */
  get idle(): boolean {
    return this.#scheduled === undefined && this.#due.length === 0 && this.#results.length === 0;
  }

  /** The code has asked for something and waits for the answer itself. */
  expectAnswer(): Due {
    const due: Due = { turn: undefined };
    this.#due.push(due);
    return due;
  }

  /** An answer that was expected. */
  answer(due: Due, turn: () => void): void {
    due.turn = turn;
    this.#schedule();
  }

  /** An expected answer that gives the code no turn. */
  waive(due: Due): void {
    const at = this.#due.indexOf(due);
    if (at >= 0) this.#due.splice(at, 1);
    this.#schedule();
  }

  result(turn: () => void): void {
    this.#results.push(turn);
    this.#schedule();
  }

  /** What has not gone yet never goes. */
  stop(): void {
    this.#stopped = true;
    this.#due.length = 0;
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
    const [first] = this.#due;
    return first === undefined ? this.#results.length > 0 : first.turn !== undefined;
  }

  #next(): (() => void) | undefined {
    // A turn may have asked for something since this one was scheduled: looked at only now.
    const [first] = this.#due;
    if (first === undefined) return this.#results.shift();
    if (first.turn !== undefined) this.#due.shift();
    return first.turn;
  }
}
