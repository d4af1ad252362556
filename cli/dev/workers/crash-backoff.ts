const firstMs = 1_000;
/** After so many in a row the worker stays away until its code changes. */
const mostCrashes = 5;
/** Without a crash for this long, the count starts again. */
const calmMs = 30_000;

/** The pauses before a worker that ends by itself is started again: 1 s, doubled with each crash in a row. */
export class CrashBackoff {
  #crashes = 0;

  /** A change of the code forgives earlier crashes. */
  forgive(): void {
    this.#crashes = 0;
  }

  /** @param ranMs since a worker was last started @returns the pause; null where it is given up */
  crashed(ranMs: number): number | null {
    if (ranMs > calmMs) this.#crashes = 0;
    this.#crashes++;
    return this.#crashes > mostCrashes ? null : firstMs * 2 ** (this.#crashes - 1);
  }
}
