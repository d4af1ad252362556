import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCel } from '../../../engine/cel/compile-cel.ts';
import { equalityGuards, isRuledOut } from '../../../engine/cel/equality-guard.ts';
import { Listeners } from '../../../engine/shard/durable-listeners.ts';
import { holds } from '../../../engine/plan/review-task.ts';

const scalar = fc.oneof(fc.integer({ min: -2, max: 3 }), fc.constantFrom(0.5, 7.25, 2 ** 53, 2 ** 53 + 2), fc.constantFrom('', 'a', 'b', 'a && b', '1'), fc.boolean());
const path = fc.constantFrom('input.a', 'input.b', 'input.a.c', 'input.b.c', 'input._d');
const literal = fc.oneof(scalar.map((value) => (typeof value === 'string' ? (value.length % 2 === 0 ? `"${value}"` : `'${value}'`) : String(value))), fc.constantFrom('9007199254740993', '7.0', '-0', '"x\\"', 'null', '1u', '[1]'));
const equality = fc.tuple(path, fc.constantFrom('==', ' == ', '  ==  ', '!=', ' > '), literal).map((parts) => parts.join(''));
const rest = fc.constantFrom('input.b == 1', 'has(input.a)', '!(input.a == 1)', 'input.a in [1, 2]', '(input.a == 1 || input.b == 2)', 'input.a == 1 ? true : false', 'size(input.b) > 0');
const expression = fc.oneof(
  equality,
  rest,
  fc.tuple(equality, fc.constantFrom(' && ', '&&', ' || '), fc.oneof(equality, rest)).map((parts) => parts.join('')),
  fc.tuple(equality, fc.constantFrom(' && ', ' || '), equality, fc.constantFrom(' && ', ' || '), rest).map((parts) => parts.join('')),
);
/** As it comes from an event. */
const input = fc.record({ a: fc.oneof(scalar, fc.constant(null), fc.record({ c: scalar }, { requiredKeys: [] }), fc.constant([1])), b: fc.oneof(scalar, fc.record({ c: scalar })), _d: scalar }, { requiredKeys: [] }).map((value): unknown => JSON.parse(JSON.stringify(value)));

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
    for (const without of ['', 'true', 'input.id > 7', '7 == input.id', 'input.id == 7 || true', 'input.id == 7 ? true : false', 'input.id == 7 + 1', 'output.id == 7', 'input.id == "a" + "b"', 'input.id == """a"""', 'input == 7', 'inputs.id == 7', 'input.id == 7u']) expect(equalityGuards(without)).toEqual([]);
  });

  it('rule out only what is false', () => {
    let ruledOut = 0;
    fc.assert(
      fc.property(expression.filter(isValid), input, (text, given) => {
        if (!isRuledOut(equalityGuards(text), given)) return;
        ruledOut++;
        expect(compileCel(text).evaluate({ input: given }), `${text} on ${JSON.stringify(given)}`).toEqual({ ok: true, value: false });
      }),
      { numRuns: 20_000 },
    );
    expect(ruledOut).toBeGreaterThan(300);
  });
});

describe('listeners', () => {
  it('are the ones that an event meets, whatever their expressions, and those whose expression fails', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(''), expression.filter(isValid)), { maxLength: 30 }), input, (expressions, given) => {
        const listeners = new Listeners();
        for (const [n, text] of expressions.entries()) listeners.add(String(n), text);
        const concerned = expressions.flatMap((text, n) => {
          const { met, why } = holds(text, { input: given }, undefined);
          return met || why !== undefined ? [String(n)] : [];
        });
        expect(listeners.concerned(given).sort()).toEqual(concerned.sort());
      }),
      { numRuns: 3_000 },
    );
  });
});
