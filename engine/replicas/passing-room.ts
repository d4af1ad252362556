import { HatchetError } from '../base/errors.ts';

/** Calls, and bytes of their requests, that may be on their way to other engines at once: while one cannot be reached, all of it is in memory. */
const mostCalls = 100_000;
const mostBytes = 256 * 1024 * 1024;

/** What there is room for of calls that are passed on. One that brings nothing but itself finds room for longer. */
export class PassingRoom {
  #calls = 0;
  #bytes = 0;

  /** @returns to call when the call is answered @throws HatchetError NOT_OWNER */
  enter(bytes: number): () => void {
    if (this.#calls >= mostCalls) throw tooMany(`${this.#calls} calls are on their way to other engines already`);
    if (this.#bytes > 0 && this.#bytes + bytes > mostBytes)
      throw tooMany(`calls with ${this.#bytes} bytes are on their way to other engines already`);
    this.#calls++;
    this.#bytes += bytes;
    return () => {
      this.#calls--;
      this.#bytes -= bytes;
    };
  }
}

function tooMany(what: string): HatchetError {
  return new HatchetError('NOT_OWNER', what, { remedy: 'Slow down and try again.' });
}
