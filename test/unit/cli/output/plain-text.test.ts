import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainLines, plainText } from '../../../../cli/output/plain-text.ts';

// oxlint-disable-next-line no-control-regex -- spelled out, unlike in the code that this checks
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

describe('plainText', () => {
  it('takes escapes out and keeps the words', () => {
    expect(plainText('\u001b[31mred\u001b[0m \u001b]0;title\u0007text')).toBe('red text');
    expect(plainText('\u001b]52;c;Y2xpcGJvYXJk\u001b\\after')).toBe('after');
    expect(plainText('over\rwritten\ttab\nline')).toBe('overwritten tab line');
    expect(plainLines('a\r\nb')).toBe('a\nb');
  });

  it('leaves nothing that controls a terminal, whatever comes', () => {
    const hostile = fc.string({ unit: fc.oneof(fc.constantFrom('\u001b', '[', ']', 'P', '\u0007', '\u009b', '\u202e', '\r', '\n', '2', 'J', ';', '\\'), fc.string({ minLength: 1, maxLength: 1, unit: 'binary' })) });
    fc.assert(
      fc.property(hostile, (text) => {
        expect(plainText(text)).not.toMatch(controls);
        expect(plainText(text)).not.toContain('\n');
        expect(plainLines(text)).not.toMatch(controls);
      }),
      { numRuns: 2_000 },
    );
  });
});
