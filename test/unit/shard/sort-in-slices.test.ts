import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortInSlices } from '../../../engine/shard/recovery/sort-in-slices.ts';
import { Slice } from '../../../engine/base/yield-in-slices.ts';

it('sorts as sort does, equal ones in their order, whatever the length', async () => {
  const items = fc.integer({ min: 0, max: 9_000 }).chain((length) =>
    fc.array(
      fc.integer({ min: 0, max: 50 }).map((key) => ({ key })),
      { minLength: length, maxLength: length },
    ),
  );
  await fc.assert(
    fc.asyncProperty(items, async (given) => {
      const sorted = await sortInSlices(given, ({ key }) => key, new Slice());
      const wanted = given.toSorted((a, b) => a.key - b.key);
      expect(sorted.length).toBe(wanted.length);
      expect(sorted.every((item, at) => item === wanted[at])).toBe(true);
    }),
    { numRuns: 60 },
  );
});

it('gives the event loop turns', async () => {
  const items = Array.from({ length: 300_000 }, (_, at) => (at * 7_919) % 300_000);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const sorted = await sortInSlices(items, (item) => item, new Slice());
  clearInterval(timer);
  expect(sorted[0]).toBe(0);
  expect(sorted.at(-1)).toBe(299_999);
  expect(turns).toBeGreaterThan(1);
});
