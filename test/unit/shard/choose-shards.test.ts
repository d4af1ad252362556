import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shardCount } from '../../../engine/model/ids/shard-of.ts';
import { fairShare, toHandOver, toTake, type HeldShard } from '../../../engine/shard/ownership/choose-shards.ts';

const ids = Array.from({ length: shardCount }, (_, id) => id);
const held = fc
  .uniqueArray(fc.constantFrom(...ids))
  .chain((shards) => fc.tuple(...shards.map((id) => fc.nat(5).map((load): HeldShard => ({ id, load })))));

describe('the share of an engine', () => {
  it('leaves no shard to nobody, and nobody with more than one shard more than it must have', () => {
    for (let engines = 1; engines <= 200; engines++) {
      expect(fairShare(engines) * engines).toBeGreaterThanOrEqual(shardCount);
      expect((fairShare(engines) - 1) * engines).toBeLessThan(shardCount);
    }
    expect([0, 1, 2, 3, 64, 65].map(fairShare)).toEqual([64, 64, 32, 22, 1, 1]);
  });
});

describe('what is handed over', () => {
  it('is never more than what is too much, and one busy shard at the most', () => {
    fc.assert(
      fc.property(held, fc.nat(shardCount), (shards, share) => {
        const given = toHandOver(shards, share);
        const busy = given.filter((id) => shards.find((each) => each.id === id)?.load !== 0);
        expect(given.length).toBeLessThanOrEqual(Math.max(shards.length - share, 0));
        expect(given.length).toBeLessThanOrEqual(16);
        expect(given.length > 0).toBe(shards.length > share);
        if (busy.length > 0) {
          expect(given).toHaveLength(1);
          const least = Math.min(...shards.map(({ load }) => load));
          expect(shards.find(({ id }) => id === given[0])?.load).toBe(least);
        }
      }),
    );
  });

  it('comes to an end with the share', () => {
    let shards: HeldShard[] = ids.map((id) => ({ id, load: id % 3 }));
    for (let step = 0; step < shardCount; step++) {
      const given = new Set(toHandOver(shards, 22));
      shards = shards.filter(({ id }) => !given.has(id));
    }
    expect(shards).toHaveLength(22);
  });
});

describe('what is taken', () => {
  it('is what is missing to the share, in another order for each engine', () => {
    const free = ids.map((id) => ({ id, abandoned: false }));
    expect(toTake(free, { held: 0, share: 3, first: 62 })).toEqual([62, 63, 0]);
    expect(toTake(free, { held: 2, share: 3, first: 5 })).toEqual([5]);
    expect(toTake(free, { held: 3, share: 3, first: 5 })).toEqual([]);
    expect(toTake(free, { held: 9, share: 3, first: 5 })).toEqual([]);
  });

  it('is more where nobody has taken it for long', () => {
    const free = [0, 1, 2].map((id) => ({ id, abandoned: id === 2 }));
    expect(toTake(free, { held: 1, share: 1, first: 0 })).toEqual([2]);
    expect(toTake(free, { held: 0, share: 1, first: 0 })).toEqual([0, 2]);
  });
});
