import { isTaskRow, type TaskRow } from './rows.ts';
/** A value for some of the task rows: an array, since a Map takes five times as much for each. */
export class RowMap<T> {
  readonly #values: (T | undefined)[] = [];

  get(row: TaskRow): T | undefined {
    return this.#values[row];
  }

  has(row: TaskRow): boolean {
    return this.#values[row] !== undefined;
  }

  set(row: TaskRow, value: T): void {
    while (this.#values.length < row) this.#values.push(undefined);
    this.#values[row] = value;
  }

  delete(row: TaskRow): void {
    if (row < this.#values.length) this.#values[row] = undefined;
  }

  *entries(): Generator<[row: TaskRow, value: T]> {
    for (const [row, value] of this.#values.entries()) if (value !== undefined && isTaskRow(row)) yield [row, value];
  }
}
