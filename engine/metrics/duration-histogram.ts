/** How many values were up to each bound. Units are the caller's. */
export class DurationHistogram {
  readonly bounds: readonly number[];
  /** By bound, of those above the bound before it; the last is for what is above all. */
  readonly #counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  add(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] ?? 0)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.sum += value;
    this.count++;
  }

  /** Counts another's values too, which has the same bounds. */
  merge(other: DurationHistogram): void {
    for (const [at, count] of other.#counts.entries()) this.#counts[at] = (this.#counts[at] ?? 0) + count;
    this.sum += other.sum;
    this.count += other.count;
  }

  /** For each bound how many values were up to it. */
  *upTo(): Generator<readonly [bound: number, count: number]> {
    let count = 0;
    for (const [at, bound] of this.bounds.entries()) {
      count += this.#counts[at] ?? 0;
      yield [bound, count];
    }
  }
}
