/** A value for some of the task rows: an array, since a Map takes five times as much for each. */
export class RowMap<T> {
  readonly #values: (T | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(row: number): T | undefined {
    return this.#values[row];
  }

  has(row: number): boolean {
    return this.#values[row] !== undefined;
  }

  set(row: number, value: T): void {
    while (this.#values.length < row) this.#values.push(undefined);
    if (this.#values[row] === undefined) this.#size++;
    this.#values[row] = value;
  }

  delete(row: number): void {
    if (this.#values[row] === undefined) return;
    this.#values[row] = undefined;
    this.#size--;
  }

  *entries(): Generator<[row: number, value: T]> {
    for (const [row, value] of this.#values.entries()) if (value !== undefined) yield [row, value];
  }
}
