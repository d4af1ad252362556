import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MouseReader, type Input } from '../../../../cli/ui/input/mouse-reader.ts';

const report = (button: number, row: number, column: number, final: 'M' | 'm' = 'M'): string =>
  `\u001b[<${button};${column + 1};${row + 1}${final}`;

/** Neighbouring texts are one: where they are cut says nothing. */
function joined(inputs: readonly Input[]): Input[] {
  const all: Input[] = [];
  for (const input of inputs) {
    const last = all.at(-1);
    if (typeof input === 'string' && typeof last === 'string') all[all.length - 1] = last + input;
    else if (input !== '') all.push(input);
  }
  return all;
}

function read(chunks: readonly string[]): Input[] {
  const reader = new MouseReader();
  return joined([...chunks.flatMap((chunk) => reader.push(chunk)), reader.release()]);
}

/** A text cut at places that are given as shares of it. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set([0, ...places.map((place) => Math.floor(place * text.length)), text.length])].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((end, index) => text.slice(at[index], end));
}

const place = fc.record({ row: fc.nat({ max: 300 }), column: fc.nat({ max: 500 }) });
const kinds = { click: 0, 'wheel-up': 64, 'wheel-down': 65 } as const;
const mouse = fc
  .record({ kind: fc.constantFrom('click' as const, 'wheel-up' as const, 'wheel-down' as const), at: place })
  .map(({ kind, at }) => ({ sent: report(kinds[kind], at.row, at.column), meant: { kind, ...at } as Input }));
const key = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...'abc 0;<[M\r\u0003é工'.split('')), minLength: 1, maxLength: 6 }),
    fc.constantFrom('\u001b[A', '\u001b[1;5B', '\u001b[3~', '\u001bOP', '\u001bx', '\u001b\u001b[A'),
  )
  .map((text) => ({ sent: text, meant: text as Input }));
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

describe('what a terminal sends', () => {
  it('is the same keys and the same mouse, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(mouse, key), { maxLength: 12 }), cuts, (parts, places) => {
        const sent = parts.map((part) => part.sent).join('');
        expect(read(cut(sent, places))).toEqual(joined(parts.map((part) => part.meant)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves nothing of a report in a text, whatever garbage it is', () => {
    const garbage = fc.string({
      unit: fc.constantFrom(...'\u001b\u001b[[<<0123456789;;MMm~aé\u0007'.split('')),
      maxLength: 80,
    });
    fc.assert(
      fc.property(garbage, cuts, (text, places) => {
        const whole = read([text]);
        expect(read(cut(text, places))).toEqual(whole);
        for (const input of whole)
          if (typeof input === 'string')
            expect(['\u001b[<', '\u001b[M'].filter((start) => input.includes(start))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('goes on after what is no report', () => {
    expect(read(['a\u001b[<0;3', '\u001b[Ab'])).toEqual(['a\u001b[Ab']);
    expect(read(['\u001b[<;;Mx', '\u001b[<0;0;1My', '\u001b[<0;1Mz'])).toEqual(['xyz']);
    expect(read([`\u001b[<0;1;${'1'.repeat(40)}`, '11', 'Mq'])).toEqual(['q']);
  });

  it('is Escape where nothing comes after it, and a report where more does', () => {
    const reader = new MouseReader();
    expect(reader.push('\u001b')).toEqual([]);
    expect(reader.mayBeKey).toBe(true);
    expect(reader.release()).toBe('\u001b');
    expect(reader.push('q')).toEqual(['q']);
    // It was cut there, and the rest came late: the key is out, but the rest is not typed.
    reader.push('\u001b');
    reader.release();
    expect(reader.push('[<0;5;7M')).toEqual([{ kind: 'click', row: 6, column: 4 }]);
    reader.push('\u001b[');
    reader.release();
    expect(reader.push('<65;5')).toEqual([]);
    expect(reader.mayBeKey).toBe(false);
    expect(reader.push(';7Mx')).toEqual([{ kind: 'wheel-down', row: 6, column: 4 }, 'x']);
  });

  it('tells presses from the rest, with modifiers and in the old notation', () => {
    const kindOf = (text: string): unknown => {
      const [input] = read([text]);
      return typeof input === 'string' ? input : input?.kind;
    };
    expect([0, 1, 2, 16, 32, 35, 64, 65, 66, 80, 81].map((button) => kindOf(report(button, 1, 1)))).toEqual([
      'click',
      'other',
      'other',
      'other',
      'other',
      'other',
      'wheel-up',
      'wheel-down',
      'other',
      'wheel-up',
      'wheel-down',
    ]);
    expect(kindOf(report(0, 1, 1, 'm'))).toBe('other');
    expect(read(['\u001b[M !"', 'x'])).toEqual([{ kind: 'click', row: 1, column: 0 }, 'x']);
    expect(read(['\u001b[M', '#!"x'])).toEqual([{ kind: 'other', row: 1, column: 0 }, 'x']);
  });
});
