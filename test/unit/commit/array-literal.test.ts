import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainArray, textArray } from '../../../engine/commit/array-literal.ts';

/** What an array literal of Postgres means: in quotes a backslash takes the next character as it is, whatever it is. */
function readTexts(literal: string): (string | null)[] {
  const texts: (string | null)[] = [];
  let at = 1;
  while (at < literal.length - 1) {
    if (literal.startsWith('NULL', at)) {
      texts.push(null);
      at += 4;
    } else {
      let text = '';
      for (at++; literal[at] !== '"'; at++) {
        if (literal[at] === '\\') at++;
        text += literal[at];
      }
      texts.push(text);
      at++;
    }
    at++; // the comma
  }
  return texts;
}

describe('array literals', () => {
  it('give every text back as it was: control characters and halves of surrogate pairs beside quotes too', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('"', '\\', '\n', '\t', '\u0001', '\ud800', '\udc00', '😀', '\u2028', 'a', ','),
      }),
      fc.json(),
    );
    fc.assert(
      fc.property(fc.array(fc.option(text)), (texts) => {
        expect(readTexts(textArray(texts))).toEqual(texts);
      }),
    );
  });

  it('have each number, UUID and null in its place, where all are the same too', () => {
    const value = fc.constantFrom(null, 0, -1, 1_800_000_000_000_000, '0190abcd-ef01-7234-8567-89abcdef0123');
    fc.assert(
      fc.property(fc.oneof(fc.array(value), fc.array(fc.constant(null)), fc.array(fc.constant(7))), (values) => {
        expect(plainArray(values)).toBe(`{${values.map((each) => String(each ?? 'NULL')).join(',')}}`);
      }),
    );
  });

  it('have a text that says NULL in quotes, and null without', () => {
    expect(textArray(['NULL', null, ''])).toBe('{"NULL",NULL,""}');
    expect(plainArray([1, null, 1_800_000_000_000_000])).toBe('{1,NULL,1800000000000000}');
    expect(plainArray([])).toBe('{}');
  });
});
