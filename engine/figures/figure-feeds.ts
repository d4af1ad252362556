import type { ChangeSignal } from './change-signal.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Figures take at most this part of the event loop, for all who watch together: where there are many, they come less often. */
const loopShare = 0.05;
/** What it takes to write one message to one watcher. */
const writeMs = 0.05;
/** Watchers that hear of new figures in one turn of the event loop. */
const slice = 50;

export interface Figures<T> {
  /** At most one message in this time. */
  everyMs: number;
  read: (tenantId: TenantId) => T;
  /** Two readings that encode alike are not sent twice. */
  encode: (figures: T) => Uint8Array;
}

/**
 * Feeds figures from memory to those who watch: once at the start, then after changes. A tenant's are read once for all its
 * watchers, and told to some at a time. Nobody watching costs nothing.
 */
export class FigureFeeds<T> {
  readonly #changes: ChangeSignal;
  readonly #figures: Figures<T>;
  readonly #feeds = new Map<TenantId, Feed<T>>();

  constructor(changes: ChangeSignal, figures: Figures<T>) {
    this.#changes = changes;
    this.#figures = figures;
  }

  async *watch(tenantId: TenantId, signal: AbortSignal): AsyncGenerator<T> {
    let wake = (): void => undefined;
    const hear = (): void => wake();
    const feed = this.#join(tenantId, hear);
    signal.addEventListener('abort', hear);
    try {
      let seen: Reading<T> | undefined;
      while (!signal.aborted) {
        const { reading } = feed;
        if (reading !== undefined && reading !== seen) {
          seen = reading;
          yield reading.figures;
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', hear);
      feed.watchers.delete(hear);
      if (feed.watchers.size === 0) this.#close(tenantId, feed);
    }
  }

  #join(tenantId: TenantId, hear: () => void): Feed<T> {
    const found = this.#feeds.get(tenantId);
    found?.watchers.add(hear);
    if (found !== undefined) return found;
    const feed: Feed<T> = {
      watchers: new Set([hear]),
      reading: undefined,
      dirty: true,
      ended: false,
      wake: () => undefined,
    };
    this.#feeds.set(tenantId, feed);
    const stopListening = this.#changes.listen(() => {
      feed.dirty = true;
      feed.wake();
    });
    void this.#run(tenantId, feed).finally(stopListening);
    return feed;
  }

  #close(tenantId: TenantId, feed: Feed<T>): void {
    this.#feeds.delete(tenantId);
    feed.ended = true;
    feed.wake();
  }

  async #run(tenantId: TenantId, feed: Feed<T>): Promise<void> {
    const { everyMs, read, encode } = this.#figures;
    while (!feed.ended) {
      if (!feed.dirty) {
        await new Promise<void>((resolve) => {
          feed.wake = resolve;
        });
        continue;
      }
      feed.dirty = false;
      const startedAt = performance.now();
      const figures = read(tenantId);
      const encoded = encode(figures);
      const readMs = performance.now() - startedAt;
      if (feed.reading === undefined || Buffer.compare(feed.reading.encoded, encoded) !== 0) {
        feed.reading = { figures, encoded };
        await tell(feed.watchers);
      }
      await pause(Math.max(everyMs, (readMs * this.#feeds.size + writeMs * this.#watching()) / loopShare));
    }
  }

  #watching(): number {
    let count = 0;
    for (const { watchers } of this.#feeds.values()) count += watchers.size;
    return count;
  }
}

interface Reading<T> {
  figures: T;
  encoded: Uint8Array;
}

/** A tenant's, while somebody watches. */
interface Feed<T> {
  watchers: Set<() => void>;
  reading: Reading<T> | undefined;
  /** Something may have changed since the reading. */
  dirty: boolean;
  ended: boolean;
  wake: () => void;
}

async function tell(watchers: ReadonlySet<() => void>): Promise<void> {
  let told = 0;
  for (const hear of watchers) {
    hear();
    told += 1;
    if (told % slice === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
