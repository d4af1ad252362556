/** The longest that recovery keeps the event loop: heartbeats are answered in between. */
const sliceMs = 10;

/** Gives the event loop a turn when a slice of work has lasted long enough. */
export class Slice {
  #until = performance.now() + sliceMs;

  /** Asked before `pause` where that is called a million times. */
  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  async pause(): Promise<void> {
    if (!this.isOver) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#until = performance.now() + sliceMs;
  }
}
