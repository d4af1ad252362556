/** A value for some of the task rows: an array, since a Map takes five times as much for each. */
export class RowMap<T> {
  readonly #values: (T | undefined)[] = [];

  get(row: number): T | undefined {
    return this.#values[row];
  }

  has(row: number): boolean {
    return this.#values[row] !== undefined;
  }

  set(row: number, value: T): void {
    while (this.#values.length < row) this.#values.push(undefined);
    this.#values[row] = value;
  }

  delete(row: number): void {
    if (row < this.#values.length) this.#values[row] = undefined;
  }

  *entries(): Generator<[row: number, value: T]> {
    for (const [row, value] of this.#values.entries()) if (value !== undefined) yield [row, value];
  }
}
