import { processHost, type Host } from './host.ts';

/** A queue in which the owners of what waits take turns; of one owner first come, first served. */
export class TurnQueue<Owner extends string, T> {
  readonly #limit: number;
  readonly #host: Pick<Host, 'monotonicMs'>;
  /** In the order of their turns. A Map keeps it: who had a turn and waits again goes to its end. */
  readonly #waiting = new Map<Owner, { items: T[]; at: number }>();
  /** Owners that get no turn before a time of the monotonic clock, ms. */
  readonly #resting = new Map<Owner, number>();

  /** @param limit how many of one owner may wait */
  constructor(limit: number, host: Pick<Host, 'monotonicMs'> = processHost) {
    this.#limit = limit;
    this.#host = host;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** @returns false where too many of the owner wait: nothing is kept */
  push(owner: Owner, item: T): boolean {
    const own = this.#waiting.get(owner);
    if (own === undefined) this.#waiting.set(owner, { items: [item], at: 0 });
    else if (own.items.length - own.at < this.#limit) own.items.push(item);
    else return false;
    return true;
  }

  /** The owner gets no turn for so long: what it had was dear for the others. */
  rest(owner: Owner, ms: number): void {
    const now = this.#host.monotonicMs();
    for (const [other, until] of this.#resting) if (until <= now) this.#resting.delete(other);
    this.#resting.set(owner, now + ms);
  }

  /** When the first of those that wait has rested, ms from now; 0 where one need not rest. Undefined where nobody waits. */
  get restMs(): number | undefined {
    if (this.#waiting.size === 0) return undefined;
    const now = this.#host.monotonicMs();
    let first = Infinity;
    for (const owner of this.#waiting.keys()) first = Math.min(first, this.#resting.get(owner) ?? now);
    return Math.max(0, first - now);
  }

  /** @returns undefined where nobody waits, or all who wait rest */
  shift(): T | undefined {
    for (const [owner, own] of this.#waiting) {
      if (this.#isResting(owner)) continue;
      const item = own.items[own.at++];
      this.#waiting.delete(owner);
      // Taken from the front by an index: an array of thousands is not moved for each.
      if (own.at > 1000) {
        own.items.splice(0, own.at);
        own.at = 0;
      }
      if (own.at < own.items.length) this.#waiting.set(owner, own);
      return item;
    }
    return undefined;
  }

  #isResting(owner: Owner): boolean {
    const until = this.#resting.get(owner);
    return until !== undefined && this.#host.monotonicMs() < until;
  }

  clear(): T[] {
    this.#resting.clear();
    const all = [...this.#waiting.values()].flatMap(({ items, at }) => items.slice(at));
    this.#waiting.clear();
    return all;
  }
}
