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
  /** How long rows that nobody waits for may gather, before a statement has to be begun for them alone. Default: not at all. */
  gatherMs?: number;
}

/** What came by one call, until the last of its rows is stored or has failed. */
interface Given {
  left: number;
  readonly failed: Map<number, HatchetError>;
  readonly settled: (failed: ReadonlyMap<number, HatchetError>) => void;
}

interface Waiting<Row> {
  readonly row: Row;
  /** Its place among those that came with it. */
  readonly place: number;
  readonly given: Given;
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
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: RowBufferOptions<Row>) {
    this.#options = options;
  }

  /** @throws HatchetError BUSY while too much waits, COMMAND_FAILED where it could not be stored */
  async write(row: Row): Promise<void> {
    await this.writeAll([row]);
  }

  /** Takes all of the rows, or none. @throws HatchetError as `write`, where one of them could not be stored */
  async writeAll(rows: readonly Row[]): Promise<void> {
    const [failure] = (await this.writeEach(rows)).values();
    if (failure !== undefined) throw failure;
  }

  /**
   * Takes all of the rows, or none.
   * @returns by their places, why rows could not be stored (COMMAND_FAILED): the others are
   * @throws HatchetError BUSY
   */
  async writeEach(rows: readonly Row[]): Promise<ReadonlyMap<number, HatchetError>> {
    const settled = this.#take(rows);
    this.#begin();
    return settled;
  }

  /** As `write`, for a row whose end nobody waits for: it may gather with others for a while. */
  async writeLater(row: Row): Promise<void> {
    const settled = this.#take([row]);
    const { gatherMs = 0, batchRows } = this.#options;
    if (gatherMs === 0 || this.#waiting.length >= batchRows) this.#begin();
    else if (this.#writing === undefined) this.#gathering ??= setTimeout(() => this.#begin(), gatherMs);
    const [failure] = (await settled).values();
    if (failure !== undefined) throw failure;
  }

  async #take(rows: readonly Row[]): Promise<ReadonlyMap<number, HatchetError>> {
    const { what, mostRows, mostWeight, weightOf } = this.#options;
    if (this.#waiting.length >= mostRows || this.#weight > mostWeight)
      throw new HatchetError('BUSY', `${this.#waiting.length} ${what} of ${this.#weight} characters wait already`, {
        remedy: 'Send less, or less often.',
      });
    const failed = new Map<number, HatchetError>();
    if (rows.length === 0) return failed;
    return await new Promise((settled) => {
      const given: Given = { left: rows.length, failed, settled };
      for (const [place, row] of rows.entries()) {
        this.#weight += weightOf(row);
        this.#waiting.push({ row, place, given });
      }
    });
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    if (this.#gathering !== undefined) this.#begin();
    await this.#writing;
  }

  #begin(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#waiting.length > 0) this.#writing ??= this.#drain();
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
      for (const waiting of batch) settle(waiting, undefined);
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
      for (const waiting of batch) settle(waiting, failure);
    }
  }
}

function settle({ place, given }: Waiting<unknown>, failure: HatchetError | undefined): void {
  if (failure !== undefined) given.failed.set(place, failure);
  if (--given.left === 0) given.settled(given.failed);
}
