/**
 * What a task gets for something that it has begun. It knows whether the task's code has come to it: `await`, `then`,
 * `catch`, `finally` and the combinators all call `then`, since its constructor is not `Promise`. Its own rejection never
 * counts as unhandled.
 */
export class TaskPromise<Result> extends Promise<Result> {
  #isHeeded = false;

  /** What is made of it is a plain promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** Whether somebody waits for it, or has waited. */
  get isHeeded(): boolean {
    return this.#isHeeded;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a promise has one
  override then<Fulfilled = Result, Rejected = never>(
    onFulfilled?: ((value: Result) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.#isHeeded = true;
    return super.then(onFulfilled, onRejected);
  }

  /** Hears of its rejection without heeding it. */
  onRejected(hear: (reason: unknown) => void): void {
    void super.then(undefined, hear);
  }
}
