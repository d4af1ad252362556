import { celEnv, isCelError, isCelList, isCelMap, parse, plan, type CelValue } from '@bufbuild/cel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedFunctions } from '../../../engine/cel/bounded-functions.ts';
import { syntaxCost, valueOf } from '../../../engine/cel/syntax-cost.ts';

const environment = celEnv({ funcs: boundedFunctions });
const costOf = (expression: string) => syntaxCost(parse(expression).expr);
const workOf = (expression: string, chars: number): number => {
  const { work } = costOf(expression);
  return work === null ? Infinity : valueOf(work, chars);
};

/** Characters that a value holds: what going through all of it would touch. */
function held(value: CelValue): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (isCelList(value)) return [...value].reduce((sum: number, each) => sum + held(each), 1);
  if (isCelMap(value))
    return [...value.entries()].reduce(
      (sum: number, [key, each]) => sum + held(typeof key === 'object' ? 0n : key) + held(each),
      1,
    );
  return 1;
}

/** Expressions of a type each, since most that mix types only fail. */
const { expression } = fc.letrec<{ text: string; list: string; truth: string; expression: string }>((tie) => {
  const { text, list, truth } = { text: tie('text'), list: tie('list'), truth: tie('truth') };
  const any = tie('expression');
  const choice = (part: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(truth, part, part).map(([condition, yes, no]) => `(${condition} ? ${yes} : ${no})`);
  const sum = (part: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(part, part).map(([left, right]) => `(${left} + ${right})`);
  const some = { maxDepth: 5, depthSize: 'medium', withCrossShrink: true } as const;
  return {
    text: fc.oneof(
      some,
      fc.constantFrom('input.s', 'input["s"]', 'headers.h', '"literal"'),
      sum(text),
      sum(text),
      choice(text),
      fc.tuple(text, fc.constantFrom('string', 'dyn')).map(([part, name]) => `${name}(${part})`),
      text.map((part) => `string(bytes(${part}))`),
      text.map((part) => `[${part}, "other"][0]`),
      text.map((part) => `{"a": ${part}}.a`),
      fc.constantFrom('string(input.n)', 'string(size(input.s))', 'string(type(input.s) == string)'),
    ),
    list: fc.oneof(
      some,
      fc.constantFrom('input.l', 'input.l', '[]'),
      sum(list),
      sum(list),
      choice(list),
      fc.array(any, { maxLength: 3 }).map((parts) => `[${parts.join(', ')}]`),
      list.map((part) => `{"a": ${part}}["a"]`),
    ),
    truth: fc.oneof(
      some,
      fc.constantFrom('true', 'false', 'input.n > 0.0', 'has(input.m.k)', '(missing || true)'),
      fc
        .tuple(any, fc.constantFrom('==', '!='), any)
        .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc.tuple(any, list).map(([part, from]) => `(${part} in ${from})`),
      fc
        .tuple(text, fc.constantFrom('contains', 'startsWith', 'endsWith'), text)
        .map(([left, name, right]) => `${left}.${name}(${right})`),
      fc
        .tuple(truth, fc.constantFrom('&&', '||'), truth)
        .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    ),
    expression: fc.oneof(
      some,
      text,
      list,
      truth,
      fc.constantFrom('input', 'input.m', 'input.m.k', 'input.l[0]', '7', 'null', 'b"bytes"'),
      text.map((part) => `bytes(${part})`),
      fc.tuple(text, any).map(([key, part]) => `{"a": ${key}, "b": ${part}}`),
    ),
  };
});

describe('syntaxCost', () => {
  it('bounds what an expression gives, by its text and the length of what it reads', () => {
    // Nearly all of it in one text or list, so that a reading that is not counted shows.
    const few = fc.jsonValue({ maxDepth: 1 });
    const much = fc.oneof(
      fc.record({ s: fc.constantFrom('a', 'é', '😀').map((unit) => unit.repeat(500)), l: fc.tuple(few) }),
      fc.record({ s: fc.constant('a'), l: fc.constant(Array.from({ length: 500 }, (_, index) => index % 10)) }),
    );
    const json = fc.record({
      input: fc
        .tuple(much, fc.record({ m: fc.record({ k: few }), n: fc.double({ noNaN: true, noDefaultInfinity: true }) }))
        .map(([large, small]) => ({ ...large, ...small })),
      headers: fc.record({ h: fc.string() }),
    });
    let given = 0;
    fc.assert(
      fc.property(expression, json, (text, variables) => {
        const { size, work } = costOf(text);
        const input: Record<string, CelValue> = JSON.parse(JSON.stringify(variables));
        const chars = JSON.stringify(variables.input).length + JSON.stringify(variables.headers).length;
        const result = plan(environment, parse(text))(input);
        if (isCelError(result)) return;
        given++;
        expect(held(result), text).toBeLessThanOrEqual(valueOf(size, chars));
        if (work !== null) expect(valueOf(work, chars), text).toBeGreaterThanOrEqual(valueOf(size, chars));
      }),
      { numRuns: 1500 },
    );
    expect(given).toBeGreaterThan(700);
  });

  it('grows with the data, and never falls', () => {
    fc.assert(
      fc.property(expression, fc.nat(1_000_000), fc.nat(1_000_000), (text, chars, more) => {
        expect(workOf(text, chars)).toBeLessThanOrEqual(workOf(text, chars + more));
      }),
    );
  });

  it('counts each reading of a variable, each addition, and every pair where one is looked for in the other', () => {
    const chars = 10_000;
    expect(workOf('input.a', chars)).toBeLessThan(2.1 * chars);
    expect(workOf('input.a.b.c == "x"', chars)).toBeLessThan(1.1 * chars);
    expect(workOf('input.a == 1.0 && input.b == 2.0 && input.c == 3.0', chars)).toBeGreaterThanOrEqual(3 * chars);
    expect(workOf(Array.from({ length: 30 }, () => 'input.a').join('+'), chars)).toBeGreaterThan(450 * chars);
    expect(workOf('input.a in ["x", "y"]', chars)).toBeLessThan(1.1 * chars);
    expect(workOf('input.a in input.b', chars)).toBeGreaterThan(chars * chars);
    expect(workOf('input.a.contains("x")', chars)).toBeLessThan(2.1 * chars);
    expect(workOf('input.a.contains(input.b)', chars)).toBeGreaterThan((chars * chars) / 300);
    expect(workOf('input.a.matches("^x+$")', chars)).toBeGreaterThan(4 * chars);
  });

  it('has no bound for loops, patterns that come with the data or multiply, and messages', () => {
    for (const text of [
      'input.map(x, x)',
      'input.s.matches(input.p)',
      'input.s.matches("a" + "b")',
      'input.s.matches("a{1000}")',
      'input.s.matches("(?i)a")',
      String.raw`input.s.matches("\\pL")`,
      `input.s.matches("${'a'.repeat(200)}")`,
      'google.protobuf.Struct{fields: input}',
    ]) {
      expect(workOf(text, 0), text).toBe(Infinity);
    }
  });

  it('knows what is read', () => {
    expect([...costOf('input.a + headers["x"] + string(size(payload))').reads].toSorted()).toEqual([
      'headers',
      'input',
      'payload',
    ]);
    expect([...costOf('input.all(x, x == payload.y)').reads]).toEqual(expect.arrayContaining(['input', 'payload']));
  });
});
