import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { TurnQueue } from '../../../engine/base/turn-queue.ts';

it('gives each owner a turn, and keeps the order of each', () => {
  const queue = new TurnQueue<string, number>(10);
  for (const [owner, item] of [
    ['a', 1],
    ['a', 2],
    ['a', 3],
    ['b', 4],
    ['c', 5],
    ['b', 6],
  ] as const)
    queue.push(owner, item);
  expect(Array.from({ length: 7 }, () => queue.shift())).toEqual([1, 4, 5, 2, 6, 3, undefined]);
  expect(queue.isEmpty).toBe(true);
});

it('refuses beyond the limit of one owner, whatever was taken before', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom('a', 'b'), fc.constant(null)), { maxLength: 60 }), (steps) => {
      const queue = new TurnQueue<string, string>(3);
      const waiting: Record<string, number> = { a: 0, b: 0 };
      for (const owner of steps) {
        if (owner === null) {
          const taken = queue.shift();
          if (taken !== undefined) waiting[taken] = (waiting[taken] ?? 0) - 1;
          else expect(waiting).toEqual({ a: 0, b: 0 });
          expect(queue.isEmpty).toBe(Object.values(waiting).every((count) => count === 0));
        } else {
          const isKept = queue.push(owner, owner);
          expect(isKept).toBe((waiting[owner] ?? 0) < 3);
          if (isKept) waiting[owner] = (waiting[owner] ?? 0) + 1;
        }
      }
      expect(queue.clear()).toHaveLength((waiting['a'] ?? 0) + (waiting['b'] ?? 0));
    }),
  );
});

it('leaves out who rests, and says when the first has rested', () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  try {
    const queue = new TurnQueue<string, string>(10);
    expect(queue.restMs).toBeUndefined();
    for (const item of ['a1', 'b1', 'a2', 'b2']) queue.push(item.charAt(0), item);
    expect(queue.restMs).toBe(0);
    queue.rest('a', 50);
    expect([queue.shift(), queue.restMs, queue.shift()]).toEqual(['b1', 0, 'b2']);
    expect([queue.shift(), queue.restMs, queue.isEmpty]).toEqual([undefined, 50, false]);
    clock.mockReturnValue(1_049);
    expect([queue.shift(), queue.restMs]).toEqual([undefined, 1]);
    clock.mockReturnValue(1_050);
    expect([queue.shift(), queue.shift(), queue.shift()]).toEqual(['a1', 'a2', undefined]);
  } finally {
    clock.mockRestore();
  }
});
