/** Says that what the owner's memory holds may have changed. */
export class ChangeSignal {
  readonly #listeners = new Set<() => void>();

  poke(): void {
    for (const listener of this.#listeners) listener();
  }

  /** @returns a function that ends it */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
