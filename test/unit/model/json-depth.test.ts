import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeeperThan, maxJsonDepth } from '../../../engine/model/payload/json-depth.ts';
import { reportedFailure } from '../../../engine/edge/parse/attempt-report.ts';
import { checkedInput, checkedMetadata } from '../../../engine/model/payload/check-payload.ts';

/** By recursion over the value. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

const deep = (levels: number): string => `${'{"a":['.repeat(levels / 2)}${']}'.repeat(levels / 2)}`;
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'large', withCrossShrink: true },
    fc.oneof(
      fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', 'a', '\n', 'ü', '\ud83d') }),
      fc.integer(),
      fc.constant(null),
      fc.boolean(),
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string({ unit: fc.constantFrom('"', '\\', '[', '}', 'b'), maxLength: 4 }), tie('value'), {
      maxKeys: 3,
    }),
  ),
}));

describe('the depth of JSON text', () => {
  it('is that of its value, whatever stands in its strings', () => {
    fc.assert(
      fc.property(json.value, fc.constantFrom(undefined, 2), (value, indent) => {
        const depth = depthOf(value);
        const text = JSON.stringify(value, undefined, indent);
        expect(isDeeperThan(text, depth)).toBe(false);
        if (depth > 0) expect(isDeeperThan(text, depth - 1)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('ends on texts that are no JSON', () => {
    for (const text of ['"', '"\\', '"\\"', ']'.repeat(300), `"${'\\'.repeat(999)}`, 'x'.repeat(300)])
      expect(isDeeperThan(text, 3)).toBe(false);
  });

  it('is found in texts that recursion would not survive', () => {
    expect(isDeeperThan('['.repeat(1_000_000), maxJsonDepth)).toBe(true);
    expect(isDeeperThan(`[${'[],'.repeat(1_000_000)}[]]`, 2)).toBe(false);
  });
});

describe('payloads', () => {
  it('of 200 levels are taken, deeper ones are refused', () => {
    expect(checkedInput(deep(200))).toBe(deep(200));
    expect(checkedMetadata(deep(200))).toBe(deep(200));
    for (const levels of [202, 6000, 1_000_000]) {
      for (const check of [checkedInput, checkedMetadata])
        expect(() => check(deep(levels))).toThrow(
          expect.objectContaining({
            code: 'INVALID_ARGUMENT',
            message: expect.stringContaining('nested deeper than 200 levels'),
          }),
        );
    }
  });

  it('of failures are kept as text where they are too deep', () => {
    expect(reportedFailure(deep(200))).toBe(deep(200));
    expect(JSON.parse(reportedFailure(deep(6000)))).toEqual({ message: deep(6000) });
  });
});

it('a failure that says nothing is told as one all the same: an empty error is that of a cancelled task', () => {
  for (const nothing of ['', '\0', '\\u0000'])
    expect(JSON.parse(reportedFailure(nothing))).toEqual({ message: 'the task failed without a message' });
});
