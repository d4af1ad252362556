/** Samples of some figures over time, at most one a second, for a fixed while. */
export class DepthHistory {
  readonly #length: number;
  readonly #times: number[] = [];
  readonly #series: (number | null)[][];

  constructor(options: { series: number; seconds: number }) {
    this.#length = options.seconds;
    this.#series = Array.from({ length: options.series }, () => []);
  }

  get size(): number {
    return this.#times.length;
  }

  /** The newest sample of a second counts. */
  add(atMs: number, values: readonly (number | null)[]): void {
    const second = Math.floor(atMs / 1_000);
    const last = this.#times.at(-1);
    if (last !== undefined && second < last) return;
    if (second === last) {
      for (const [index, series] of this.#series.entries()) series[series.length - 1] = values[index] ?? null;
      return;
    }
    this.#times.push(second);
    for (const [index, series] of this.#series.entries()) series.push(values[index] ?? null);
    const over = this.#times.findIndex((time) => time > second - this.#length);
    if (over > 0) {
      this.#times.splice(0, over);
      for (const series of this.#series) series.splice(0, over);
    }
  }

  /** Times in seconds since 1970, then each series. */
  columns(): [number[], ...(number | null)[][]] {
    return [[...this.#times], ...this.#series.map((series) => [...series])];
  }
}
