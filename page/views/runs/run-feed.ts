import { parseRunQuery, type RunQuery } from '../../../cli/monitor/run-query.ts';
import type { EventRow } from '../../../cli/monitor/run-reader.ts';
import type { EngineCalls } from '../../data/engine-calls.ts';
import { listRuns } from '../../data/run-calls.ts';
import type { EventPage } from '../../data/run-messages.ts';
import { RunTable } from '../../model/run-table.ts';

const firstPage = 200;
const olderPage = 500;
/** So many changes are not kept back for the next frame. */
const mostQueued = 5_000;

/** The runs that fit one filter, from lists and events; what came since the last frame is taken in at the next one, at once. */
export class RunFeed {
  readonly query: RunQuery;
  readonly table: RunTable;
  readonly #calls: EngineCalls;
  readonly #listeners = new Set<() => void>();
  #queued: EventRow[] = [];
  #frame = 0;
  #cursor: string | undefined;
  #version = 0;
  /** The first page is to be read again: it could not be. */
  #isOwed = false;
  #isRead = false;
  #error: Error | undefined;
  #older: string | null = null;
  #loading: string | undefined;

  constructor(calls: EngineCalls, filter: string) {
    this.#calls = calls;
    this.query = parseRunQuery(filter);
    this.table = new RunTable(this.query);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
    };
  };

  readonly version = (): number => this.#version;

  /** Where a new stream resumes. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Whether the first page has been read. */
  get isRead(): boolean {
    return this.#isRead;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  get hasOlder(): boolean {
    return this.#older !== null && !this.table.isFull;
  }

  readonly take = ({ events, cursor }: EventPage): void => {
    // The list is read once the stream is open, so that nothing falls in between.
    if (this.#cursor === undefined) void this.#list(undefined);
    this.#cursor = cursor === '' ? (this.#cursor ?? cursor) : cursor;
    if (events.length === 0) return;
    this.#queued.push(...events);
    if (this.#queued.length > mostQueued) this.#flush();
    else if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#flush);
  };

  /** What events do not tell of new runs is in the list; asked now and then, not at each event. */
  readonly fillIn = (): void => {
    if (!this.table.takeWish() && !this.#isOwed) return;
    this.#isOwed = false;
    void this.#list(undefined);
  };

  readonly loadOlder = (): void => {
    const page = this.#older;
    if (page === null || this.#loading === page || this.table.isFull) return;
    this.#loading = page;
    void this.#list(page).finally(() => {
      this.#loading = undefined;
    });
  };

  readonly #flush = (): void => {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.table.apply(this.#queued);
    this.#queued = [];
    this.#tell();
  };

  async #list(page: string | undefined): Promise<void> {
    try {
      const { rows, next } = await listRuns(this.#calls, this.query, {
        limit: page === undefined ? firstPage : olderPage,
        ...(page === undefined ? {} : { page }),
      });
      this.table.merge(rows);
      // A first page that is read again says nothing of what is older than all that was read.
      if (page !== undefined || !this.#isRead) this.#older = next;
      this.#isRead = true;
      this.#error = undefined;
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      if (page === undefined) this.#isOwed = true;
    }
    this.#tell();
  }

  #tell(): void {
    this.#version++;
    for (const listener of this.#listeners) listener();
  }
}
