import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { fit, pad, renderTable } from '../../../../cli/output/table.ts';

describe('tables', () => {
  it('line columns up by the width that a terminal shows', () => {
    const text = renderTable(
      [
        { name: '日本', n: 1 },
        { name: 'abc', n: 20 },
      ],
      {
        columns: [
          { title: 'NAME', cell: (row) => row.name },
          { title: 'N', cell: (row) => String(row.n), align: 'right' },
        ],
        empty: '',
      },
    );
    expect(text).toBe('NAME   N\n日本   1\nabc   20');
  });

  it('say what is missing instead of an empty one', () => {
    expect(renderTable([], { columns: [], empty: 'No runs.' })).toBe('No runs.');
  });

  it('cut and fill to the width', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), fc.integer({ min: 1, max: 30 }), (text, width) => {
        expect(stringWidth(fit(text, width))).toBeLessThanOrEqual(width);
        expect(stringWidth(pad(fit(text, width), width))).toBe(width);
      }),
    );
  });
});
