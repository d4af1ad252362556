import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CelEvaluator } from '../../../engine/cel/cel-evaluator.ts';
import { compileCel, maxCelBytes } from '../../../engine/cel/compile-cel.ts';
import { HatchetError } from '../../../engine/errors.ts';

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
    for (const bad of ['input.', 'a b', '', `"${'x'.repeat(maxCelBytes)}"`, `${'('.repeat(33)}1${')'.repeat(33)}`, Array.from({ length: 60 }, () => 'a').join('.'), Array.from({ length: 60 }, () => 'a').join('+')]) {
      expect(() => compileCel(bad), bad.slice(0, 60)).toThrow(HatchetError);
    }
    expect(() => compileCel('a +')).toThrow(/is not valid: /);
  });

  it('tells expressions that loop from those that do not', () => {
    expect(compileCel('input.list.exists(x, x > 1)').heavy).toBe(true);
    expect(compileCel('input.list.map(x, x)').heavy).toBe(true);
    expect(compileCel('input.list[0] > 1').heavy).toBe(false);
  });

  it('throws nothing but HatchetError, whatever it is given', () => {
    const grammar = fc.array(fc.constantFrom('input', '.', 'a', '(', ')', '[', ']', '1', '"x"', '+', '&&', '?', ':', ',', '{', '}', 'all', '!', ' '), { maxLength: 40 }).map((parts) => parts.join(''));
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

describe('CelEvaluator', () => {
  it('ends an expression that loops for too long, and serves the next', async () => {
    const cel = new CelEvaluator();
    try {
      const list = Array.from({ length: 3000 }, (_, index) => index);
      let turns = 0;
      const counting = setInterval(() => turns++, 1);
      const hostile = cel.evaluate('input.all(a, input.all(b, input.all(c, a + b + c >= 0.0)))', { input: list });
      const next = cel.evaluate('input.exists(x, x == 7)', { input: list });
      expect(await hostile).toEqual({ ok: false, message: 'it took longer than 50 ms' });
      clearInterval(counting);
      expect(turns).toBeGreaterThan(3); // the main thread went on meanwhile
      expect(await next).toEqual({ ok: true, value: true });
    } finally {
      await cel.stop();
    }
  });

  it('evaluates an expression without loops at once', async () => {
    const cel = new CelEvaluator();
    expect(cel.evaluate('input.a', { input: { a: 1 } })).toEqual({ ok: true, value: 1 });
    await cel.stop();
  });
});
