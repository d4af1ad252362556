/** Something that happens once, or fails once. */
export class ReadySignal {
  readonly promise: Promise<void>;
  #hasFailed = false;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Nobody has to wait for it: the failure is also told elsewhere.
    this.promise.catch(() => {});
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  set(): void {
    this.#resolve();
  }

  fail(error: unknown): void {
    this.#hasFailed = true;
    this.#reject(error);
  }
}
