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
  if (isCelMap(value)) return [...value.entries()].reduce((sum: number, [key, each]) => sum + held(typeof key === 'object' ? 0n : key) + held(each), 1);
  return 1;
}

const leaf = fc.constantFrom('input', 'input.s', 'input.l', 'input.m', 'input.n', 'input.m.k', 'input.l[0]', 'headers.h', '"literal"', '7', '2.5', 'b"bytes"', '[]', '{}', 'true', 'null', 'missing');
const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const part = tie('expression');
  const two = fc.tuple(part, part);
  return {
    expression: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      leaf,
      fc.tuple(two, fc.constantFrom('+', '+', '+', '==', 'in', '<', '&&', '||', '-')).map(([[left, right], operator]) => `(${left} ${operator} ${right})`),
      fc.tuple(part, fc.constantFrom('string', 'bytes', 'size', 'dyn', 'int', 'double', 'type')).map(([inner, name]) => `${name}(${inner})`),
      fc.tuple(part, part, part).map(([condition, yes, no]) => `(${condition} ? ${yes} : ${no})`),
      fc.array(part, { maxLength: 3 }).map((parts) => `[${parts.join(', ')}]`),
      two.map(([key, value]) => `{"a": ${key}, "b": ${value}}`),
      two.map(([from, index]) => `${from}[${index}]`),
      part.map((inner) => `${inner}.k`),
      fc.tuple(part, fc.constantFrom('contains', 'startsWith', 'endsWith'), part).map(([left, name, right]) => `${left}.${name}(${right})`),
      fc.tuple(part, part, part).map(([a, b, c]) => `(true ? ${a} + ${b} : ${c})`),
      part.map((inner) => `has(${inner === 'input' ? 'input.s' : `{"a": ${inner}}.a`})`),
    ),
  };
});

describe('syntaxCost', () => {
  it('bounds what an expression gives, by its text and the length of what it reads', () => {
    const json = fc.record({ input: fc.record({ s: fc.string({ maxLength: 200 }), l: fc.array(fc.jsonValue(), { maxLength: 5 }), m: fc.record({ k: fc.jsonValue() }), n: fc.double({ noNaN: true, noDefaultInfinity: true }) }), headers: fc.record({ h: fc.string() }) });
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
      { numRuns: 2000 },
    );
    expect(given).toBeGreaterThan(200);
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
    for (const text of ['input.map(x, x)', 'input.s.matches(input.p)', 'input.s.matches("a" + "b")', 'input.s.matches("a{1000}")', 'input.s.matches("(?i)a")', String.raw`input.s.matches("\\pL")`, `input.s.matches("${'a'.repeat(200)}")`, 'google.protobuf.Struct{fields: input}']) {
      expect(workOf(text, 0), text).toBe(Infinity);
    }
  });

  it('knows what is read', () => {
    expect([...costOf('input.a + headers["x"] + string(size(payload))').reads].toSorted()).toEqual(['headers', 'input', 'payload']);
    expect([...costOf('input.all(x, x == payload.y)').reads]).toEqual(expect.arrayContaining(['input', 'payload']));
  });
});
