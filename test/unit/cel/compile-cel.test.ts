import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCel, maxCelBytes } from '../../../engine/cel/compile-cel.ts';
import { HatchetError } from '../../../engine/base/errors.ts';

const value = (expression: string, variables: Record<string, unknown> = {}): unknown => {
  const result = compileCel(expression).evaluate(variables);
  return result.ok ? result.value : `failed: ${result.message}`;
};

describe('compileCel', () => {
  it('gives plain values', () => {
    expect(value('input.n > 5 && input.n == 6', { input: { n: 6 } })).toBe(true);
    expect(value('input.user + "-" + string(input.n)', { input: { user: 'ada', n: 7 } })).toBe('ada-7');
    expect(value('1 + 2')).toBe(3);
    expect(value('{"a": [1, 2u, 2.5, null, true]}')).toEqual({ a: [1, 2, 2.5, null, true] });
    expect(value('has(input.missing)', { input: {} })).toBe(false);
    expect(value('int(input.n) % 2 == 0', { input: { n: 4 } })).toBe(true);
  });

  it('answers a failure with its reason', () => {
    expect(value('input.missing', { input: {} })).toBe('failed: field not found: missing');
    expect(value('nobody')).toMatch(/^failed: /);
    expect(value('input.n + "x"', { input: { n: 1 } })).toMatch(/^failed: /);
    expect(value('9007199254740993')).toBe('failed: the result 9007199254740993 is larger than 2^53');
    expect(value('b"bytes"')).toBe('failed: the result is of a type that JSON does not have');
  });

  it('refuses what is not CEL, too long or too deep', () => {
    for (const bad of [
      'input.',
      'a b',
      '',
      `"${'x'.repeat(maxCelBytes)}"`,
      `${'('.repeat(33)}1${')'.repeat(33)}`,
      Array.from({ length: 60 }, () => 'a').join('.'),
      Array.from({ length: 60 }, () => 'a').join('+'),
    ]) {
      expect(() => compileCel(bad), bad.slice(0, 60)).toThrow(HatchetError);
    }
    expect(() => compileCel('a +')).toThrow(/is not valid: /);
  });

  it('bounds what is in no expression: patterns and whole numbers that come with the data, sums, results, reasons', () => {
    const long = 'a'.repeat(2_000_000);
    expect(value('input.s.matches(input.p)', { input: { s: 'a', p: 'a'.repeat(1025) } })).toBe(
      'failed: the pattern has 1025 characters; up to 1024 are allowed',
    );
    expect(value('input.s.matches(input.p)', { input: { s: 'a', p: '(a|b)+' } })).toBe(true);
    expect(value('int(input)', { input: '1'.repeat(1001) })).toBe(
      'failed: a text of 1001 characters is no whole number',
    );
    expect(value('uint(input)', { input: '1'.repeat(1001) })).toBe(
      'failed: a text of 1001 characters is no whole number',
    );
    expect([
      value('int("-12")'),
      value('uint("12") == 12u'),
      value('int("99999999999999999999")'),
      value('int("x")'),
    ]).toEqual([-12, true, 'failed: int overflow during type conversion', 'failed: Cannot convert x to a BigInt']);
    expect(value('size(input + input + input + input + input + input + input + input + input)', { input: long })).toBe(
      'failed: an addition gives 18000000 characters; up to 16777216 are allowed',
    );
    expect(
      value(
        'size(bytes(input) + bytes(input) + bytes(input) + bytes(input) + bytes(input) + bytes(input) + bytes(input) + bytes(input) + bytes(input))',
        { input: long },
      ),
    ).toBe('failed: an addition gives 18000000 bytes; up to 16777216 are allowed');
    expect(value('input', { input: 'a'.repeat(65_536) })).toBe('failed: the result has more than 65536 characters');
    expect(value('input', { input: Array.from({ length: 65_536 }, () => 0) })).toBe(
      'failed: the result has more than 65536 characters',
    );
    expect(value('bool(input)', { input: long })).toMatch(/^failed: Unable to convert string 'a{900,1000}…$/);
  });

  it('counts the characters of a text as CEL does: by code points', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('a', '\ud83d', '\ude00', '😀') })),
        (text) => {
          expect([value('size(input)', { input: text }), value('input.size()', { input: text })]).toEqual([
            Array.from(text).length,
            Array.from(text).length,
          ]);
        },
      ),
    );
  });

  it('throws nothing but HatchetError, whatever it is given', () => {
    const grammar = fc
      .array(
        fc.constantFrom(
          'input',
          '.',
          'a',
          '(',
          ')',
          '[',
          ']',
          '1',
          '"x"',
          '+',
          '&&',
          '?',
          ':',
          ',',
          '{',
          '}',
          'all',
          '!',
          ' ',
        ),
        { maxLength: 40 },
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(grammar, fc.string()), fc.jsonValue(), (expression, input) => {
        try {
          compileCel(expression).evaluate({ input });
        } catch (error) {
          expect(error).toBeInstanceOf(HatchetError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('matches regular expressions in linear time', () => {
    expect(value('input.text.matches("^(a+)+$")', { input: { text: `${'a'.repeat(50_000)}b` } })).toBe(false);
  });
});
