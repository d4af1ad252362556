import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonText, requireJson } from '../../../sdk/json-text.ts';
import { toResult } from '../../../sdk/worker/attempt-result.ts';

describe('jsonText', () => {
  it('is what JSON.stringify gives for all that JSON can carry', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(jsonText(value)).toBe(JSON.stringify(value));
      }),
    );
    expect(jsonText({ at: new Date(0), url: new URL('http://a/'), gone: undefined, call: () => 1 })).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","url":"http://a/"}',
    );
  });

  it.each<[string, unknown]>([
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a bigint', 1n],
    ['an Error', new TypeError('lost')],
    ['a RegExp', /a/],
    ['a promise', Promise.resolve(1)],
    ['bytes', new Uint8Array(2)],
    ['bytes', new ArrayBuffer(2)],
  ])('refuses %s, wherever it stands, and names it', (kind, value) => {
    expect(() => jsonText(value)).toThrow(`JSON cannot carry ${kind};`);
    expect(() => jsonText({ rows: [{ found: value }] })).toThrow(`JSON cannot carry ${kind} ("found");`);
  });

  it('leaves it to a class how it travels', () => {
    class Found extends Map<string, number> {
      toJSON(): object {
        return Object.fromEntries(this);
      }
    }
    expect(jsonText({ found: new Found([['a', 1]]), bytes: Buffer.from('a') })).toBe(
      '{"found":{"a":1},"bytes":{"type":"Buffer","data":[97]}}',
    );
  });

  it('fails an attempt for good whose output it refuses', () => {
    expect(toResult('count', { found: new Map([['a', 1]]) })).toMatchObject({
      status: 'failed',
      retry: false,
      message:
        'the output of count cannot be written as JSON: JSON cannot carry a Map ("found"); use an object, such as Object.fromEntries(map)',
    });
  });

  it('says what was to be sent', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(() => requireJson(circle, 'the input of a')).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('the input of a cannot be written as JSON: Converting circular'),
      }),
    );
    expect(() => requireJson(() => {}, 'it', 'INVALID_DEFINITION')).toThrow(
      expect.objectContaining({
        code: 'INVALID_DEFINITION',
        message: 'it cannot be written as JSON: it is a function',
      }),
    );
  });
});
