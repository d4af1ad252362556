import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCel } from '../../../engine/cel/compile-cel.ts';
import { equalityGuards, guardOf, guardsOf, isRuledOut, noGuard } from '../../../engine/cel/equality-guard.ts';

const scalar = fc.oneof(
  fc.integer({ min: -2, max: 3 }),
  fc.constantFrom(0.5, 7.25, 2 ** 53, 2 ** 53 + 2),
  fc.constantFrom('', 'a', 'b', 'a && b', '1'),
  fc.boolean(),
);
const path = fc.constantFrom('input.a', 'input.b', 'input.a.c', 'input.b.c', 'input._d');
const literal = fc.oneof(
  scalar.map((value) =>
    typeof value === 'string' ? (value.length % 2 === 0 ? `"${value}"` : `'${value}'`) : String(value),
  ),
  fc.constantFrom('9007199254740993', '7.0', '-0', '"x\\"', 'null', '1u', '[1]'),
);
const equality = fc
  .tuple(path, fc.constantFrom('==', ' == ', '  ==  ', '!=', ' > '), literal)
  .map((parts) => parts.join(''));
const rest = fc.constantFrom(
  'input.b == 1',
  'has(input.a)',
  '!(input.a == 1)',
  'input.a in [1, 2]',
  '(input.a == 1 || input.b == 2)',
  'input.a == 1 ? true : false',
  'size(input.b) > 0',
);
const expression = fc.oneof(
  equality,
  rest,
  fc.tuple(equality, fc.constantFrom(' && ', '&&', ' || '), fc.oneof(equality, rest)).map((parts) => parts.join('')),
  fc
    .tuple(equality, fc.constantFrom(' && ', ' || '), equality, fc.constantFrom(' && ', ' || '), rest)
    .map((parts) => parts.join('')),
);
/** As it comes from an event. */
const input = fc
  .record(
    {
      a: fc.oneof(scalar, fc.constant(null), fc.record({ c: scalar }, { requiredKeys: [] }), fc.constant([1])),
      b: fc.oneof(scalar, fc.record({ c: scalar })),
      _d: scalar,
    },
    { requiredKeys: [] },
  )
  .map((value): unknown => JSON.parse(JSON.stringify(value)));

const isValid = (text: string): boolean => {
  try {
    compileCel(text);
    return true;
  } catch {
    return false;
  }
};

describe('equality guards', () => {
  it('are found at the beginning alone', () => {
    expect(equalityGuards('input.id == 7')).toEqual([{ path: ['id'], value: 7 }]);
    expect(equalityGuards(' input.kind=="a" && input.order.id == \'b\' && input.n > 1 && input.m == 2')).toEqual([
      { path: ['kind'], value: 'a' },
      { path: ['order', 'id'], value: 'b' },
    ]);
    for (const without of [
      '',
      'true',
      'input.id > 7',
      '7 == input.id',
      'input.id == 7 || true',
      'input.id == 7 ? true : false',
      'input.id == 7 + 1',
      'output.id == 7',
      'input.id == "a" + "b"',
      'input.id == """a"""',
      'input == 7',
      'inputs.id == 7',
      'input.id == 7u',
    ])
      expect(equalityGuards(without)).toEqual([]);
  });

  it('rule out only what is false', () => {
    let ruledOut = 0;
    fc.assert(
      fc.property(expression.filter(isValid), input, (text, given) => {
        if (!isRuledOut(equalityGuards(text), given)) return;
        ruledOut++;
        expect(compileCel(text).evaluate({ input: given }), `${text} on ${JSON.stringify(given)}`).toEqual({
          ok: true,
          value: false,
        });
      }),
      { numRuns: 20_000 },
    );
    expect(ruledOut).toBeGreaterThan(300);
  });

  it('of an event hold for every expression that it makes true', () => {
    let guarded = 0;
    fc.assert(
      fc.property(expression.filter(isValid), input, (text, given) => {
        const result = compileCel(text).evaluate({ input: given });
        if (!result.ok || result.value !== true) return;
        if (guardOf(text) !== noGuard) guarded++;
        expect(guardsOf(given), `${text} on ${JSON.stringify(given)}`).toContain(guardOf(text));
      }),
      { numRuns: 20_000 },
    );
    expect(guarded).toBeGreaterThan(40);
  });

  it('of another value, type or path are others', () => {
    const others = [
      'input.a == 1',
      'input.a == "1"',
      'input.a == true',
      'input.a == 2',
      'input.b == 1',
      'input.a.b == 1',
      'true',
    ].map(guardOf);
    expect(new Set(others).size).toBe(others.length);
    expect(guardOf('input.kind == "x" && input.a == 1.0 && input.n > 2')).toBe(guardOf('input.a == 1'));
    expect(
      guardsOf({
        list: Array.from({ length: 5_000 }, (_, n) => n),
        deep: JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
      }),
    ).toEqual([noGuard]);
    expect(guardsOf(Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`f${n}`, n])))).toBeUndefined();
    expect(guardsOf(JSON.parse('{"a":1,"b":{"c":"x"},"list":[{"d":2}],"none":null}'))?.sort()).toEqual(
      [noGuard, guardOf('input.a == 1'), guardOf('input.b.c == "x"')].sort(),
    );
  });
});
