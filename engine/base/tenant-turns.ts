import { processHost, type Host } from './host.ts';
import { TurnQueue } from './turn-queue.ts';

/** Requests of one tenant that may wait for their turn: each is held in memory already, and its caller waits. */
const mostWaiting = 1_000_000;

/** Runs or events of one call that are prepared in one turn: some 2 ms. */
const itemsATurn = 100;

/**
 * Long work of the event loop, one piece in a turn of the loop and the tenants in turn: decoding 4 MiB takes it 5 ms, and what
 * several connections have sent at the same time would hold everybody up for the sum.
 */
export class TenantTurns<Tenant extends string> {
  readonly #host: Host;
  readonly #waiting: TurnQueue<Tenant, () => void>;
  #scheduled = false;

  constructor(host: Host = processHost) {
    this.#host = host;
    this.#waiting = new TurnQueue(mostWaiting, host);
  }

  take(tenantId: Tenant, work: () => void): void {
    this.#waiting.push(tenantId, work);
    this.#schedule();
  }

  /** Resolves in the tenant's next turn. */
  next(tenantId: Tenant): Promise<void> {
    return new Promise((resolve) => this.take(tenantId, resolve));
  }

  /** Prepares many, so many in a turn. @returns in the order of the items */
  async each<Item, Result>(
    tenantId: Tenant,
    items: readonly Item[],
    prepare: (item: Item, index: number) => Result | Promise<Result>,
  ): Promise<Result[]> {
    const results: Result[] = [];
    for (let from = 0; from < items.length; from += itemsATurn) {
      if (from > 0) await this.next(tenantId);
      const waited: Promise<void>[] = [];
      for (let index = from; index < Math.min(from + itemsATurn, items.length); index++) {
        const item = items[index];
        if (item === undefined) continue;
        try {
          const prepared = prepare(item, index);
          if (prepared instanceof Promise) waited.push(prepared.then((result) => void (results[index] = result)));
          else results[index] = prepared;
        } catch (error) {
          // As if it had been waited for: what others of its turn are rejected with is heard too.
          waited.push(Promise.reject(error));
        }
      }
      // Most have nothing to wait for.
      if (waited.length > 0) await Promise.all(waited);
    }
    return results;
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.isEmpty) return;
    this.#scheduled = true;
    this.#host.setImmediate(() => {
      this.#scheduled = false;
      // First: work that throws leaves the others their turns.
      const work = this.#waiting.shift();
      this.#schedule();
      work?.();
    });
  }
}
