import type { StoredChunk } from './stream-reads.ts';

/** Numbers from here on are times of arrival: the task gave none. */
const firstUnnumbered = 1e12;
/** Chunks that are held for one that is missing; past that, order gives way. */
const mostHeld = 10_000;

/**
 * Puts chunks into the order of their numbers: SDKs send them without waiting, so that one can overtake another. A chunk
 * is held until those before it have come, or until nothing more is to be expected.
 */
export class ChunkOrder {
  readonly #next = new Map<string, number>();
  readonly #held = new Map<string, Map<number, StoredChunk>>();

  /** Some chunks wait for a missing one. */
  get hasGaps(): boolean {
    return this.#held.size > 0;
  }

  /** @returns what can be given on, in order */
  add(chunk: StoredChunk): StoredChunk[] {
    const number = Number(chunk.number);
    if (number >= firstUnnumbered) return [chunk];
    const key = `${chunk.taskId}/${chunk.attempt}`;
    const held = this.#held.get(key) ?? new Map<number, StoredChunk>();
    held.set(number, chunk);
    const ready: StoredChunk[] = [];
    let next = this.#next.get(key) ?? 0;
    for (let found = held.get(next); found !== undefined; found = held.get(next)) {
      ready.push(found);
      held.delete(next);
      next++;
    }
    this.#next.set(key, next);
    if (held.size === 0) this.#held.delete(key);
    else this.#held.set(key, held);
    return held.size > mostHeld ? [...ready, ...this.flush()] : ready;
  }

  /** Whatever is held, in order, with its gaps. */
  flush(): StoredChunk[] {
    const left = [...this.#held.entries()].flatMap(([key, held]) => {
      const chunks = [...held.values()].sort((a, b) => Number(a.number) - Number(b.number));
      const last = chunks.at(-1);
      if (last !== undefined) this.#next.set(key, Number(last.number) + 1);
      return chunks;
    });
    this.#held.clear();
    return left;
  }
}
