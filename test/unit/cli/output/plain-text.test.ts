import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOutput } from '../../../../cli/output/create-output.ts';
import { engineLogLine } from '../../../../cli/engine-process/engine-log-line.ts';
import { jsonText, plainLines, plainText } from '../../../../cli/output/plain-text.ts';

// oxlint-disable-next-line no-control-regex -- spelled out, unlike in the code that this checks
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
/** What is not seen or reorders what is around it; a joiner may stay between pictographs. */
const hidden = [
  '\u00ad',
  '\u061c',
  '\u180e',
  '\u200b',
  '\u200c',
  '\u200e',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202e',
  '\u2060',
  '\u2064',
  '\u2066',
  '\u2069',
  '\ufeff',
  '\u{e0041}',
];

describe('plainText', () => {
  it('takes out what Node takes for control sequences', () => {
    const parts = [
      '\u001b',
      '\u009b',
      '[',
      '(',
      '#',
      ';',
      '?',
      '3',
      '31',
      'm',
      'K',
      'H',
      'z',
      '=',
      ' ',
      'text',
      '/',
      '\u0007',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts)), (pieces) => {
        const text = pieces.join('');
        expect(plainLines(text)).toBe(stripVTControlCharacters(text).replaceAll(/\p{Cc}/gu, ''));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes escapes out and keeps the words', () => {
    expect(plainText('\u001b[31mred\u001b[0m \u001b]0;title\u0007text')).toBe('red text');
    expect(plainText('\u001b]52;c;Y2xpcGJvYXJk\u001b\\after')).toBe('after');
    expect(plainText('over\rwritten\ttab\nline')).toBe('overwritten tab line');
    expect(plainLines('a\r\nb')).toBe('a\nb');
  });

  it.each(hidden)('takes %j out of text, and escapes it in JSON', (character) => {
    expect(plainText(`a${character}b`)).toMatch(/^a ?b$/);
    expect(plainLines(`a${character}b`)).toMatch(/^a\n?b$/);
    const json = jsonText({ [`k${character}`]: `a${character}b` }, 2);
    expect(json).not.toContain(character);
    expect(JSON.parse(json)).toEqual({ [`k${character}`]: `a${character}b` });
  });

  it('keeps pictographs that are made of others, and letters of any script', () => {
    for (const text of ['👩‍💻 👨‍👩‍👧 🏳️‍🌈', 'Größe 名前 имя שלום']) expect(plainText(text)).toBe(text);
    expect(plainText('pay\u200dpal')).toBe('paypal');
  });

  it('leaves nothing that controls a terminal, whatever comes', () => {
    const hostile = fc.string({
      unit: fc.oneof(
        fc.constantFrom('\u001b', '[', ']', 'P', '\u0007', '\u009b', '\u202e', '\r', '\n', '2', 'J', ';', '\\'),
        fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
      ),
    });
    fc.assert(
      fc.property(hostile, (text) => {
        expect(plainText(text)).not.toMatch(controls);
        expect(plainText(text)).not.toContain('\n');
        expect(plainLines(text)).not.toMatch(controls);
      }),
      { numRuns: 2_000 },
    );
  });

  it('makes JSON of printable characters that is read as the same value, whatever comes', () => {
    fc.assert(
      fc.property(fc.json(), fc.string({ unit: 'binary' }), fc.constantFrom(undefined, 2), (json, text, indent) => {
        const value: unknown = [JSON.parse(json), text];
        const made = jsonText(value, indent);
        expect(JSON.parse(made)).toEqual(value);
        expect(made).not.toMatch(controls);
        for (const character of hidden) expect(made).not.toContain(character);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('what commands print', () => {
  const hostile = '\u009b2J\u202eevil\u200b\u2028';

  it.each(['text', 'json', 'ndjson'] as const)('as %s has none of it', (format) => {
    let printed = '';
    const stream = { write: (text: string) => (printed += text) && true, isTTY: false };
    // Of a stream, an output needs no more than this.
    const streams: unknown = { stdout: stream, stderr: stream, env: {} };
    const output = createOutput(format, Object(streams));
    output.value({ name: hostile }, () => hostile);
    output.item({ name: hostile }, () => hostile);
    output.list(
      { rows: [{ name: hostile }], next: hostile },
      { columns: [{ title: 'NAME', cell: (row) => row.name }], empty: '' },
    );
    output.note(hostile);
    output.warn(hostile);
    expect(printed).not.toMatch(controls);
    for (const character of hidden) expect(printed).not.toContain(character);
    expect(printed).toContain('evil');
  });

  it('of the engine’s log has none of it either', () => {
    for (const line of [
      hostile,
      JSON.stringify({
        level: 30,
        time: '',
        msg: hostile,
        worker: hostile,
        more: { name: hostile },
        err: { message: hostile },
      }),
    ]) {
      const printed = engineLogLine(line);
      expect(printed).not.toMatch(controls);
      for (const character of hidden) expect(printed).not.toContain(character);
      expect(printed).toContain('evil');
    }
  });
});
