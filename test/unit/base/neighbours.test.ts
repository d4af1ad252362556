import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Neighbours } from '../../../engine/base/neighbours.ts';

it('knows whether another tenant has sent something in the last second', () => {
  const step = fc.record({
    tenantId: fc.constantFrom('a', 'b', 'c'),
    afterMs: fc.integer({ min: 0, max: 1_500 }),
    isAsked: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const neighbours = new Neighbours<string>();
      const sent: { tenantId: string; atMs: number }[] = [];
      let nowMs = 10_000;
      for (const { tenantId, afterMs, isAsked } of steps) {
        nowMs += afterMs;
        if (isAsked)
          expect(neighbours.others(tenantId, nowMs)).toBe(
            sent.some((one) => one.tenantId !== tenantId && nowMs - one.atMs < 1_000),
          );
        else {
          neighbours.seen(tenantId, nowMs);
          sent.push({ tenantId, atMs: nowMs });
        }
      }
    }),
  );
});
