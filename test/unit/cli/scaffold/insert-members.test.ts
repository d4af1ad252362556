import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { insertMembers, type Insertions } from '../../../../cli/scaffold/insert-members.ts';

const scripts = { dev: 'hatchet dev' };

describe('insertMembers', () => {
  it.each([
    [
      'into an object that is there',
      '{\n  "scripts": {\n    "a": "b"\n  }\n}\n',
      '{\n  "scripts": {\n    "a": "b",\n    "dev": "hatchet dev"\n  }\n}\n',
    ],
    [
      'into an empty object, with tabs, without a last line end',
      '{\n\t"scripts": {},\n\t"files": ["a", "b"]\n}',
      '{\n\t"scripts": {\n\t\t"dev": "hatchet dev"\n\t},\n\t"files": ["a", "b"]\n}',
    ],
    [
      'as an object of its own, after a byte order mark, with the line ends of Windows',
      '\uFEFF{\r\n    "name": "x"\r\n}\r\n',
      '\uFEFF{\r\n    "name": "x",\r\n    "scripts": {\r\n        "dev": "hatchet dev"\r\n    }\r\n}\r\n',
    ],
    ['into one line', '{"name":"x"}', '{"name":"x","scripts":{"dev":"hatchet dev"}}'],
    ['into nothing', '{}\n', '{\n  "scripts": {\n    "dev": "hatchet dev"\n  }\n}\n'],
    [
      'into the one of two that counts',
      '{\n  "scripts": {},\n  "scripts": {"a":"b"}\n}',
      '{\n  "scripts": {},\n  "scripts": {"a":"b",\n    "dev": "hatchet dev"}\n}',
    ],
  ])('adds %s', (_what, text, wanted) => {
    expect(insertMembers(text, { scripts })).toBe(wanted);
  });

  const names = fc.constantFrom('scripts', 'dependencies', 'devDependencies');
  const members = (first: string) =>
    fc.dictionary(
      fc.string().map((name) => first + name),
      fc.string(),
      { maxKeys: 4 },
    );
  const manifest = fc.tuple(
    fc.dictionary(
      fc.string().map((name) => `other ${name}`),
      fc.jsonValue(),
      { maxKeys: 3 },
    ),
    fc.dictionary(names, members('old ')),
  );
  const layout = fc.tuple(
    fc.constantFrom('', '  ', '\t', '    '),
    fc.constantFrom('\n', '\r\n'),
    fc.constantFrom('', '\uFEFF'),
    fc.constantFrom('', '\n'),
  );

  it('gives what adding to the parsed value would give, in the order in which it was, and keeps every character', () => {
    fc.assert(
      fc.property(
        manifest,
        fc.dictionary(names, members('new ')),
        layout,
        ([others, parts], insertions, [indent, newline, mark, end]) => {
          // As JSON has it: -0 is 0 there.
          const value: Record<string, unknown> = JSON.parse(JSON.stringify({ ...others, ...parts }));
          const text = mark + (JSON.stringify(value, null, indent) + end).replaceAll('\n', newline);
          const result = insertMembers(text, insertions);
          expect(JSON.parse(result.slice(mark.length))).toEqual(merged(value, insertions));
          let at = 0;
          for (const character of result)
            if (character === text.slice(at, at + character.length)) at += character.length;
          expect(at).toBe(text.length);
          if (Object.values(insertions).every((part) => Object.keys(part).length === 0)) expect(result).toBe(text);
        },
      ),
    );
  });
});

function merged(value: Record<string, unknown>, insertions: Insertions): Record<string, unknown> {
  const result = { ...value };
  for (const [name, part] of Object.entries(insertions))
    if (Object.keys(part).length > 0) result[name] = { ...Object(result[name]), ...part };
  return result;
}
