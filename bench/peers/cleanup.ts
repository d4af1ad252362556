/** What has to be undone at the end, the last first, whether it ends well, by an error or by Ctrl-C. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];
  #running: Promise<void> | undefined;

  /** @throws once the end has begun, when the step is done */
  async add(step: () => unknown): Promise<void> {
    this.#steps.push(step);
    if (this.#running === undefined) return;
    await this.#running; // the steps before this one are done in their order
    await this.#run();
    throw new Error('interrupted');
  }

  /** A part that can be undone before the rest, and is undone with it at the latest. */
  nested(): Cleanup {
    const part = new Cleanup();
    this.#steps.push(() => part.run());
    return part;
  }

  /** A step that fails does not keep the others from being done. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        console.error('while cleaning up:', error);
      }
    }
  }
}
