import type { BatchBuffer } from './batch-buffer.ts';
import type { Placement } from '../queue/placement.ts';
import { rankCount } from '../queue/task-order.ts';

/**
 * The buffers of one action that may be able to go, by the rank of their first member. Only a hint: whether one may go is
 * asked when it is looked at, and one that may not is dropped until something about it changes. So nothing here needs undo.
 */
export class FlushableBuffers {
  readonly #byRank: Map<Placement, Set<BatchBuffer>>[] = Array.from({ length: rankCount }, () => new Map());
  #turns = 0;

  offer(buffer: BatchBuffer): void {
    const { rank, placement } = buffer;
    const byPlacement = rank === undefined ? undefined : this.#byRank[rank];
    if (byPlacement === undefined) return; // empty
    let set = byPlacement.get(placement);
    if (set === undefined) {
      set = new Set();
      byPlacement.set(placement, set);
    }
    if (set.has(buffer)) return;
    buffer.turn = this.#turns++;
    set.add(buffer);
  }

  /** After a batch of its: behind the others of its rank. */
  rotate(buffer: BatchBuffer): void {
    for (const byPlacement of this.#byRank) byPlacement.get(buffer.placement)?.delete(buffer);
    this.offer(buffer);
  }

  /** The buffer whose turn it is, of those that may go and whose placement is not in `passed`. */
  next(passed: ReadonlySet<Placement>, nowUs: number): BatchBuffer | undefined {
    for (const [rank, byPlacement] of this.#byRank.entries()) {
      let first: BatchBuffer | undefined;
      for (const [placement, set] of byPlacement) {
        if (passed.has(placement)) continue;
        const buffer = firstOf(set, rank, nowUs);
        if (set.size === 0) byPlacement.delete(placement);
        if (buffer !== undefined && (first === undefined || buffer.turn < first.turn)) first = buffer;
      }
      if (first !== undefined) return first;
    }
    return undefined;
  }
}

function firstOf(set: Set<BatchBuffer>, rank: number, nowUs: number): BatchBuffer | undefined {
  for (const buffer of set) {
    if (buffer.rank === rank && !buffer.isBlocked && buffer.whyNow(nowUs) !== undefined) return buffer;
    set.delete(buffer);
  }
  return undefined;
}
