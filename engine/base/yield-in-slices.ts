import { processHost, turn, type Host } from './host.ts';

/** The longest that recovery keeps the event loop: heartbeats are answered in between. */
const sliceMs = 10;

/** Gives the event loop a turn when a slice of work has lasted long enough. */
export class Slice {
  readonly #host: Host;
  #until: number;

  constructor(host: Host = processHost) {
    this.#host = host;
    this.#until = host.monotonicMs() + sliceMs;
  }

  /** Asked before `pause` where that is called a million times. */
  get isOver(): boolean {
    return this.#host.monotonicMs() >= this.#until;
  }

  async pause(): Promise<void> {
    if (!this.isOver) return;
    await turn(this.#host);
    this.#until = this.#host.monotonicMs() + sliceMs;
  }
}
