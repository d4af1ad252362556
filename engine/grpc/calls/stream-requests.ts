import type { RawRequest } from './raw-message.ts';

/** Requests that are kept for the next engine, and their bytes: a stream that has sent more before any answer stays where it is. */
const mostKept = 1_000;
const mostKeptBytes = 4 * 1024 * 1024;

/**
 * What a client sends on its stream. Until somebody serves the stream it waits; what was passed on to an engine that turns out
 * not to serve it, and has not answered, waits again for the next one.
 */
export class StreamRequests {
  #waiting: RawRequest[] = [];
  #bytes = 0;
  #take: ((request: RawRequest) => void) | undefined;
  #isKept = false;

  /** How many wait for somebody who serves the stream. */
  get waiting(): number {
    return this.#take === undefined ? this.#waiting.length : 0;
  }

  /** Of what is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  come(request: RawRequest): void {
    if (this.#take === undefined) this.#keep(request);
    else this.#take(request);
  }

  /** All of it goes there from now on, beginning with what waits. */
  goTo(take: (request: RawRequest) => void): void {
    this.#take = take;
    const waiting = this.#waiting;
    this.stay();
    for (const request of waiting) take(request);
  }

  /** As `goTo`, to an engine that may not take the stream: what it was sent is kept until `stay`. */
  tryWith(send: (bytes: Buffer) => void): void {
    const waiting = this.#waiting;
    this.stay();
    this.#isKept = true;
    this.#take = (request) => {
      const bytes = request.take();
      if (this.#isKept) this.#keep(request.again(bytes));
      if (this.#waiting.length > mostKept || this.#bytes > mostKeptBytes) this.stay();
      send(bytes);
    };
    for (const request of waiting) this.#take(request);
  }

  /** Whoever has it keeps the stream: it has answered, say. */
  stay(): void {
    this.#isKept = false;
    this.#waiting = [];
    this.#bytes = 0;
  }

  /** Whoever had it has not taken the stream. @returns whether all that was sent waits again */
  wait(): boolean {
    if (!this.#isKept) return false;
    this.#take = undefined;
    return true;
  }

  #keep(request: RawRequest): void {
    this.#waiting.push(request);
    this.#bytes += request.length;
  }
}
