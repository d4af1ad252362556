/** Room for what an answer repeats: each task of a run shows the run's input and metadata once more. */
export class PayloadSpace {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Whether so much more fits, which it then does not a second time. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}
