import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentiles } from '../../../../cli/commands/bench/percentiles.ts';

describe('percentiles', () => {
  it('are values by nearest rank', () => {
    expect(percentiles(Array.from({ length: 100 }, (_, index) => index + 1))).toEqual({ p50: 50, p95: 95, p99: 99 });
    expect(percentiles([7])).toEqual({ p50: 7, p95: 7, p99: 7 });
    expect(percentiles([])).toEqual({ p50: null, p95: null, p99: null });
  });

  it('never cross', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
        const { p50, p95, p99 } = percentiles(values);
        return (p50 ?? 0) <= (p95 ?? 0) && (p95 ?? 0) <= (p99 ?? 0);
      }),
    );
  });
});
