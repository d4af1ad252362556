import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonError } from '../../../../cli/input/find-json-error.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('findJsonError', () => {
  it.each([
    ['{"a":x}', 1, 6],
    ['{"a":1', 1, 7],
    ['', 1, 1],
    ['{\n  "a": 1,\n}', 3, 1],
    ["{'a':1}", 1, 2],
    ['[1 2]', 1, 4],
    ['{"a":1} extra', 1, 9],
    ['"open', 1, 6],
    [String.raw`"\q"`, 1, 2],
    ['01', 1, 2],
  ])('%j stops at line %i, column %i', (text, line, column) => {
    expect(findJsonError(text)).toMatchObject({ line, column });
  });

  it('finds nothing in what JSON.stringify writes', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.integer({ min: 0, max: 3 }),
        (value, indent) => findJsonError(JSON.stringify(value, null, indent)) === undefined,
      ),
    );
  });

  it('agrees with JSON.parse on damaged JSON', () => {
    const damaged = fc.tuple(fc.jsonValue(), fc.nat(), fc.string({ maxLength: 2 })).map(([value, at, with_]) => {
      const text = JSON.stringify(value);
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + with_ + text.slice(cut + 1);
    });
    fc.assert(
      fc.property(damaged, (text) => (findJsonError(text) === undefined) === parses(text)),
      { numRuns: 2_000 },
    );
  });

  it('survives nesting that no one types', () => {
    expect(findJsonError('['.repeat(100_000))).toMatchObject({ message: 'nested too deeply' });
  });
});
