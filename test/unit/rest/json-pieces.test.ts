import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPieces, RawJson, writeJson } from '../../../engine/rest/json-pieces.ts';

const holes = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constantFrom(null, undefined, () => 1, Symbol('none')),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value'), {
      maxKeys: 4,
      noNullPrototype: false,
    }),
  ),
}));

describe('writeJson', () => {
  it('writes what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(holes.value), fc.dictionary(fc.string(), holes.value)), (value) => {
        expect(writeJson(value)).toBe(JSON.stringify(value));
      }),
      { numRuns: 500 },
    );
  });

  it('puts stored texts in as they are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const raw = Object.fromEntries(
          Object.entries(value).map(([key, each]) => [key, new RawJson(JSON.stringify(each, undefined, 1))]),
        );
        expect(JSON.parse(writeJson({ list: [raw, 1] }))).toEqual(JSON.parse(JSON.stringify({ list: [value, 1] })));
      }),
    );
    const text = '{"__proto__": {"a": 1}, "n": 12345678901234567890}';
    expect(writeJson({ input: new RawJson(text), left: undefined })).toBe(`{"input":${text}}`);
  });

  it('writes what recursion would not survive', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(writeJson([new RawJson(deep)])).toBe(`[${deep}]`);
    const value: unknown = JSON.parse(deep);
    expect(writeJson(value)).toBe(deep);
  });

  it('comes in pieces: a stored text is not copied into another', () => {
    const text = JSON.stringify('x'.repeat(1_000_000));
    expect(
      [...jsonPieces({ rows: [{ a: new RawJson(text) }, { b: new RawJson(text) }] })].filter((piece) => piece === text),
    ).toHaveLength(2);
  });
});
