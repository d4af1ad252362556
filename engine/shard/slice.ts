/** The longest that recovery keeps the event loop: heartbeats are answered in between. */
const sliceMs = 10;

/** Gives the event loop a turn when a slice of work has lasted long enough. */
export class Slice {
  #until = performance.now() + sliceMs;

  async pause(): Promise<void> {
    if (performance.now() < this.#until) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#until = performance.now() + sliceMs;
  }
}
