import { DatabaseError } from 'pg';
import { HatchetError } from '../base/errors.ts';
import { classifyFailure } from './sqlstate.ts';

export interface RowBufferOptions<Row> {
  /** What the rows are, in the plural, as an error says it. */
  what: string;
  /** Rows a statement. */
  batchRows: number;
  /** Rows and weight that may wait: past either, callers are told to slow down. */
  mostRows: number;
  mostWeight: number;
  weightOf: (row: Row) => number;
  /** Stores rows in one statement. */
  store: (rows: readonly Row[]) => Promise<void>;
}

interface Waiting<Row> {
  row: Row;
  resolve: () => void;
  reject: (error: Error) => void;
}

/**
 * Rows that are written apart from the commit lane: what gathers while one statement runs is the next. Each caller is
 * answered after the commit of its own row. A statement that Postgres refuses is halved, until the guilty row stands alone
 * and fails alone.
 */
export class RowBuffer<Row> {
  readonly #options: RowBufferOptions<Row>;
  #waiting: Waiting<Row>[] = [];
  /** Of the rows that wait, or are being written. */
  #weight = 0;
  #writing: Promise<void> | undefined;

  constructor(options: RowBufferOptions<Row>) {
    this.#options = options;
  }

  /** @throws HatchetError BUSY while too much waits, COMMAND_FAILED where it could not be stored */
  async write(row: Row): Promise<void> {
    await this.writeAll([row]);
  }

  /** Takes all of the rows, or none. @throws HatchetError as `write` */
  async writeAll(rows: readonly Row[]): Promise<void> {
    const { what, mostRows, mostWeight, weightOf } = this.#options;
    if (this.#waiting.length >= mostRows || this.#weight > mostWeight)
      throw new HatchetError('BUSY', `${this.#waiting.length} ${what} of ${this.#weight} characters wait already`, {
        remedy: 'Send less, or less often.',
      });
    const written = rows.map((row) => {
      this.#weight += weightOf(row);
      return new Promise<void>((resolve, reject) => this.#waiting.push({ row, resolve, reject }));
    });
    if (rows.length > 0) this.#writing ??= this.#drain();
    await Promise.all(written);
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.batchRows);
      await this.#store(batch);
      for (const { row } of batch) this.#weight -= this.#options.weightOf(row);
    }
    this.#writing = undefined;
  }

  async #store(batch: readonly Waiting<Row>[]): Promise<void> {
    try {
      await this.#options.store(batch.map(({ row }) => row));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length > 1 && error instanceof DatabaseError && classifyFailure(error) === 'definite') {
        const half = Math.ceil(batch.length / 2);
        await this.#store(batch.slice(0, half));
        return this.#store(batch.slice(half));
      }
      const failure = new HatchetError('COMMAND_FAILED', `${this.#options.what} could not be stored`, {
        cause: error,
        remedy: 'Check that Postgres is reachable.',
      });
      for (const { reject } of batch) reject(failure);
    }
  }
}
