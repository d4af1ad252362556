import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDiff } from '../../../page/model/json-diff.ts';
import {
  findInJson,
  jsonLines,
  opened,
  partsShown,
  toggledAt,
  unfolded,
  withMore,
} from '../../../page/model/json-lines.ts';
import { readJson, readJsonObject } from '../../../page/model/json-input.ts';

describe('jsonLines', () => {
  const value = { a: { b: { c: 1 } }, list: [true, null, 'x'] };

  it('opens the first levels, and folds by path', () => {
    expect(jsonLines(value).map(({ path }) => path)).toEqual([
      '',
      '/a',
      '/a/b',
      '/list',
      '/list/0',
      '/list/1',
      '/list/2',
    ]);
    expect(jsonLines(value, toggledAt(unfolded, '/list')).map(({ path }) => path)).toEqual(['', '/a', '/a/b', '/list']);
    expect(jsonLines(value, toggledAt(unfolded, '/a/b')).map(({ path }) => path)).toContain('/a/b/c');
  });

  it('opens what a search has found', () => {
    const { matches, open } = findInJson(value, 'C');
    expect(matches).toEqual(['/a/b/c']);
    expect(jsonLines(value, opened(unfolded, open)).map(({ path }) => path)).toContain('/a/b/c');
    expect(findInJson(value, '').matches).toEqual([]);
  });

  it('shows the start of a long list, and more of it when asked', () => {
    const long = Array.from({ length: partsShown * 3 }, (_, index) => index);
    const lines = jsonLines(long);
    expect(lines).toHaveLength(partsShown + 2);
    expect(lines.at(-1)).toMatchObject({ kind: 'more', text: `${partsShown * 2} more` });
    expect(jsonLines(long, withMore(unfolded, ''))).toHaveLength(partsShown * 3 + 1);
  });

  it('escapes what is not seen', () => {
    expect(jsonLines('a\u202eb')[0]?.text).toBe(String.raw`"a\u202eb"`);
  });
});

describe('jsonDiff', () => {
  it('names each place', () => {
    expect(jsonDiff({ a: 1, b: [1, 2], c: 3 }, { a: 1, b: [1, 5, 6], d: 4 })).toEqual([
      { path: 'b[1]', kind: 'changed', before: 2, after: 5 },
      { path: 'b[2]', kind: 'added', before: undefined, after: 6 },
      { path: 'c', kind: 'removed', before: 3, after: undefined },
      { path: 'd', kind: 'added', before: undefined, after: 4 },
    ]);
  });

  it('finds nothing between equal values, and something between others', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const clone: unknown = JSON.parse(JSON.stringify(a));
        expect(jsonDiff(JSON.parse(JSON.stringify(a)), clone)).toEqual([]);
        if (JSON.stringify(a) !== JSON.stringify(b)) return;
        expect(jsonDiff(a, b)).toEqual([]);
      }),
    );
    expect(jsonDiff(1, '1')).toHaveLength(1);
    expect(jsonDiff({}, [])).toHaveLength(1);
  });
});

describe('readJson', () => {
  it('says where it is wrong', () => {
    expect(readJson('')).toEqual({ value: {}, problem: undefined });
    expect(readJson('{"a":1,}').problem).toContain('line 1');
    expect(readJsonObject('[1]', 'The input').problem).toContain('The input has to be a JSON object');
    expect(readJsonObject('{"a":1}', 'The input').value).toEqual({ a: 1 });
  });
});
