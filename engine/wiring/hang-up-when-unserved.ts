import type { HostTimer, Host } from '../base/host.ts';

/** Other engines serve by then what this one has lost, or it serves again itself. */
const afterMs = 6_000;

/**
 * Clients of an engine that serves nothing any more: another one has taken its shards over. A stream that ends is opened again
 * on the same connection, and so at the same engine; only a connection that ends leads to one that is ready.
 */
export class HangUpWhenUnserved {
  readonly #isServing: () => boolean;
  readonly #turnAway: () => void;
  readonly #host: Host;
  #timer: HostTimer | undefined;

  constructor(options: { isServing: () => boolean; turnAway: () => void; host: Host }) {
    this.#isServing = options.isServing;
    this.#turnAway = options.turnAway;
    this.#host = options.host;
  }

  /** Some shard was lost. */
  lost(): void {
    this.#timer ??= this.#host.setTimeout(() => {
      this.#timer = undefined;
      if (!this.#isServing()) this.#turnAway();
    }, afterMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#timer?.clear();
  }
}
