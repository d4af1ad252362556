import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutValues } from '../../../../cli/mcp/cut-values.ts';

describe('values for an agent', () => {
  it('are the same where nothing in them is long', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(cutValues(value, 1_000_000)).toEqual(value);
      }),
    );
  });

  it('hold no text and no payload of more characters than are asked for', () => {
    const longest = (value: unknown): number => {
      if (typeof value === 'string') return value.length;
      if (typeof value !== 'object' || value === null) return 0;
      return Math.max(0, ...Object.values(value).map(longest));
    };
    fc.assert(
      fc.property(
        fc.record({ error: fc.string({ unit: 'binary', maxLength: 300 }), output: fc.jsonValue({ maxDepth: 6 }) }),
        fc.integer({ min: 1, max: 120 }),
        (value, most) => {
          expect(longest(cutValues(value, most))).toBeLessThanOrEqual(most);
        },
      ),
    );
  });

  it('say how long they were, and cut no character in two', () => {
    expect(cutValues({ output: { text: 'x'.repeat(50) } }, 20)).toEqual({
      output: { cutFrom: 61, begins: '{"text":"xxxxxxxxxxx' },
    });
    expect(cutValues({ message: 'ab😀cd' }, 3)).toEqual({ message: { cutFrom: 6, begins: 'ab' } });
    expect(cutValues([{ input: 'short', lines: ['long long'] }], 5)).toEqual([
      { input: 'short', lines: [{ cutFrom: 9, begins: 'long ' }] },
    ]);
  });
});
