import type { Pool } from 'pg';
import type { HistoryRow } from '../../model/stored-rows.ts';
import {
  formatCursor,
  parseCursor,
  readJournalFrom,
  readRunJournal,
  rowEvents,
  type JournalEvent,
} from './journal-reads.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const pageRows = 500;
/** Rows that a slow reader may fall behind the live feed before it is sent back to the journal. */
const backlogRows = 10_000;

interface Reader {
  rows: HistoryRow[];
  overflowed: boolean;
  wake: () => void;
}

export interface FeedPage {
  events: JournalEvent[];
  /** The newest position that the page covers. */
  cursor: string;
  live: boolean;
}

/**
 * The journal as a stream: first what is stored after the reader's cursor, then what commits. The reader is
 * registered before the stored part is read, so that nothing falls in between; what comes twice is dropped by cursor.
 */
export class JournalFeed {
  readonly #pool: Pool;
  /** By the tenant that they follow, or by the run. */
  readonly #readers = new Map<string, Set<Reader>>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Called after each commit, in order. */
  publish(rows: readonly HistoryRow[]): void {
    if (this.#readers.size === 0) return;
    for (const row of rows) {
      this.#offer(this.#readers.get(keyOf(row.tenantId, null)), row);
      this.#offer(this.#readers.get(keyOf(row.tenantId, row.runId)), row);
    }
  }

  #offer(readers: ReadonlySet<Reader> | undefined, row: HistoryRow): void {
    if (readers === undefined) return;
    for (const reader of readers) {
      if (reader.rows.length >= backlogRows) {
        reader.rows = [];
        reader.overflowed = true;
      }
      if (!reader.overflowed) reader.rows.push(row);
      reader.wake();
    }
  }

  /** Yields until the signal aborts. Without `after`, a run's feed starts at its beginning, a tenant's at `nowSeq`. */
  async *read(options: {
    tenantId: TenantId;
    runId: string | null;
    after: string | null;
    nowSeq: number;
    signal: AbortSignal;
  }): AsyncGenerator<FeedPage> {
    const { tenantId, runId, signal } = options;
    let wake = (): void => undefined;
    const reader: Reader = { rows: [], overflowed: false, wake: () => wake() };
    const key = keyOf(tenantId, runId);
    const readers = this.#readers.get(key) ?? new Set();
    this.#readers.set(key, readers);
    readers.add(reader);
    const abort = (): void => wake();
    signal.addEventListener('abort', abort);
    let cursor = options.after ?? formatCursor(runId === null ? options.nowSeq : 0, 99);
    try {
      let catchUp = options.after !== null || runId !== null;
      if (!catchUp) yield { events: [], cursor, live: true };
      while (!signal.aborted) {
        if (catchUp) {
          for await (const page of this.#stored(tenantId, runId, cursor)) {
            if (signal.aborted) return;
            cursor = page.cursor;
            yield page;
          }
          catchUp = false;
          yield { events: [], cursor, live: true };
        }
        const rows = reader.rows;
        reader.rows = [];
        const events = rows.flatMap(rowEvents).filter((event) => event.cursor > cursor);
        if (events.length > 0) {
          cursor = events.at(-1)?.cursor ?? cursor;
          yield { events, cursor, live: true };
        }
        if (reader.overflowed) {
          reader.overflowed = false;
          catchUp = true;
        } else if (reader.rows.length === 0 && !signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', abort);
      readers.delete(reader);
      if (readers.size === 0 && this.#readers.get(key) === readers) this.#readers.delete(key);
    }
  }

  async *#stored(tenantId: TenantId, runId: string | null, after: string): AsyncGenerator<FeedPage> {
    let cursor = after;
    for (;;) {
      const from = parseCursor(cursor)?.seq ?? 0;
      const rows =
        runId === null
          ? await readJournalFrom(this.#pool, tenantId, from, pageRows)
          : await readRunJournal(this.#pool, tenantId, runId, from, pageRows);
      const events = rows.flatMap(rowEvents).filter((event) => event.cursor > cursor);
      const last = rows.at(-1);
      if (last !== undefined) cursor = events.at(-1)?.cursor ?? formatCursor(last.seq, 99);
      if (events.length > 0) yield { events, cursor, live: false };
      if (rows.length < pageRows) return;
    }
  }
}

/** @param runId null for all of the tenant's */
function keyOf(tenantId: TenantId, runId: string | null): string {
  return runId === null ? tenantId : `${tenantId} ${runId}`;
}
