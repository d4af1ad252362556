import { shardCount } from '../../model/ids/shard-of.ts';

/** Shards without tasks and workers that are handed over at once; nobody notices. */
const idleAtOnce = 16;

export interface HeldShard {
  id: number;
  /** Tasks and workers that it has. */
  load: number;
}

/** How many shards an engine is to have, of so many that take calls. Those that do not take calls are no part of it. */
export function fairShare(engines: number): number {
  return Math.ceil(shardCount / Math.max(engines, 1));
}

/**
 * Which shards an engine that has more than its share hands over with one look: those that are idle, or else the one with the
 * least to do. The tenants of a shard wait while it goes over, and never those of many shards at a time.
 */
export function toHandOver(held: readonly HeldShard[], share: number): number[] {
  const excess = held.length - share;
  if (excess <= 0) return [];
  const idle = held.filter(({ load }) => load === 0);
  if (idle.length > 0) return idle.slice(0, Math.min(excess, idleAtOnce)).map(({ id }) => id);
  const [least] = held.toSorted((a, b) => a.load - b.load);
  return least === undefined ? [] : [least.id];
}

export interface FreeShard {
  id: number;
  /** Nobody has taken it for longer than a lease. */
  abandoned: boolean;
}

/**
 * Which of the free shards an engine takes: as many as it lacks to its share, and those that the others have left for long. Two
 * engines that look at the same time begin at different ones.
 */
export function toTake(free: readonly FreeShard[], options: { held: number; share: number; first: number }): number[] {
  const { held, share, first } = options;
  const rank = ({ id }: FreeShard): number => (id - first + shardCount) % shardCount;
  const inTurn = free.toSorted((a, b) => rank(a) - rank(b));
  const room = Math.max(share - held, 0);
  return inTurn.filter(({ abandoned }, index) => index < room || abandoned).map(({ id }) => id);
}
