import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NonRetryableError } from '../../../sdk/errors.ts';
import { toFailure, toResult } from '../../../sdk/worker/attempt-result.ts';

describe('toResult', () => {
  it.each<[unknown, string]>([
    [{ a: 1 }, '{"a":1}'],
    [undefined, 'null'],
    [null, 'null'],
    [0, '0'],
    [false, 'false'],
    ['', '""'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ])('%j is sent as %s', (output, json) => {
    expect(toResult('x', output)).toEqual({ status: 'completed', json });
  });

  it('writes what JSON can carry so that it reads back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const result = toResult('x', value);
        expect(result.status === 'completed' && JSON.parse(result.json)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('fails for good what cannot be sent', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const output of [cycle, 10n, () => {}, 'x'.repeat(4 * 1024 * 1024)]) {
      expect(toResult('big', output)).toMatchObject({
        status: 'failed',
        retry: false,
        message: expect.stringContaining('the output of big'),
      });
    }
  });
});

describe('toFailure', () => {
  it('retries errors, but not those that say so', () => {
    expect(toFailure(new Error('a'))).toMatchObject({
      message: 'a',
      retry: true,
      stack: expect.stringContaining('Error: a'),
    });
    expect(toFailure(new NonRetryableError('b'))).toMatchObject({ message: 'b', retry: false });
    class OwnError extends NonRetryableError {}
    expect(toFailure(new OwnError('c'))).toMatchObject({ retry: false });
  });

  it.each<[unknown, string]>([
    ['text', 'text'],
    [{ a: 1 }, 'a value that is not an Error was thrown: {"a":1}'],
    [undefined, 'a value that is not an Error was thrown: undefined'],
  ])('names %j', (thrown, message) => {
    expect(toFailure(thrown)).toMatchObject({ message, retry: true });
  });

  it('cuts endless texts', () => {
    const result = toFailure(new Error('x'.repeat(1_000_000)));
    expect(JSON.stringify(result).length).toBeLessThan(200_000);
  });
});
