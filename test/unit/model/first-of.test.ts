import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstOf } from '../../../engine/model/first-of.ts';

describe('firstOf', () => {
  it('gives what sorting all and cutting would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        (numbers, count) => {
          const order = (a: number, b: number): number => a - b;
          expect(firstOf(numbers, count, order)).toEqual({
            rows: [...numbers].sort(order).slice(0, count),
            total: numbers.length,
          });
        },
      ),
    );
  });
});
