import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oneOf } from '../../../engine/edge/parse/choice.ts';
import { cron } from '../../../engine/edge/parse/cron.ts';
import { lineCursor } from '../../../engine/edge/parse/cursor.ts';
import { id, ids, knownId } from '../../../engine/edge/parse/id.ts';
import { atMost, entriesAtMost } from '../../../engine/edge/parse/list.ts';
import { largestInteger, pageLimit, priority, wholeNumber } from '../../../engine/edge/parse/number.ts';
import { metadataTerms, selection } from '../../../engine/edge/parse/selection.ts';
import { shownText, text } from '../../../engine/edge/parse/text.ts';
import { bound, dateText, duration, moment } from '../../../engine/edge/parse/time.ts';
import { HatchetError } from '../../../engine/base/errors.ts';
import { parseUuid } from '../../../engine/model/ids/uuid.ts';

/** Whatever a caller sends, a parser gives what is good or refuses it in these words; nothing else is ever thrown. */
function refusal(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (!(error instanceof HatchetError)) throw error;
    expect(error.remedy).toMatch(/\.$/);
    expect(error.message.length).toBeLessThan(1_000);
    return error.code;
  }
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom('', '\0', '\ud800', '__proto__', 'x'.repeat(1001)),
);
const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, Infinity, -0, 2 ** 53, 2 ** 31));

describe('a text', () => {
  it('is taken exactly where Postgres stores it as it is and it is short enough', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        const isGood = value.length <= 1000 && !value.includes('\0') && Buffer.from(value).toString() === value;
        expect(refusal(() => text(value, 'it'))).toBe(isGood ? undefined : 'INVALID_ARGUMENT');
      }),
    );
  });

  it('that is only shown is never refused, and holds no NUL', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        const shown = shownText(value);
        expect(shown).not.toContain('\0');
        expect(shown.length).toBeLessThanOrEqual(255);
      }),
    );
  });
});

describe('a number', () => {
  it('is whole and in its range, or refused', () => {
    fc.assert(
      fc.property(fc.oneof(anyNumber, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), (value) => {
        const isGood = Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= largestInteger;
        expect(refusal(() => wholeNumber(value, 'it', { min: 0, max: largestInteger }))).toBe(
          isGood ? undefined : 'INVALID_ARGUMENT',
        );
      }),
    );
  });

  it('of rows has a default and a most', () => {
    expect(pageLimit(undefined, 50, 1000)).toBe(50);
    fc.assert(
      fc.property(anyNumber, (value) => {
        expect(refusal(() => pageLimit(value, 50, 1000))).toBe(
          Number.isInteger(value) && value >= 1 && value <= 1000 ? undefined : 'INVALID_ARGUMENT',
        );
      }),
    );
  });

  it('of a priority is 1, 2 or 3', () => {
    fc.assert(
      fc.property(anyNumber, (value) => {
        expect(refusal(() => priority(value))).toBe([1, 2, 3].includes(value) ? undefined : 'INVALID_ARGUMENT');
      }),
    );
  });
});

describe('a time', () => {
  const anyDate = fc.oneof(
    fc.date({ noInvalidDate: false }),
    fc.constantFrom(new Date(8.64e15), new Date(-8.64e15), new Date(Number.NaN)),
  );

  it('that is stored is one that ids can hold, or refused', () => {
    fc.assert(
      fc.property(anyDate, (value) => {
        const ms = value.getTime();
        expect(refusal(() => moment(value, 'it'))).toBe(ms >= 0 && ms <= 2 ** 48 - 1 ? undefined : 'INVALID_ARGUMENT');
      }),
    );
  });

  it('that bounds a search is as good as the nearest that ids can hold', () => {
    fc.assert(
      fc.property(anyDate, (value) => {
        const isDate = !Number.isNaN(value.getTime());
        expect(refusal(() => bound(value, 'it'))).toBe(isDate ? undefined : 'INVALID_ARGUMENT');
        if (!isDate) return;
        const ms = bound(value, 'it');
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThan(2 ** 48);
      }),
    );
  });

  it('as a text, and a duration, are refused where they are none', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        expect([undefined, 'INVALID_ARGUMENT']).toContain(refusal(() => dateText(value, 'it')));
        expect([undefined, 'INVALID_ARGUMENT']).toContain(refusal(() => duration(value, 'it')));
      }),
    );
    expect(duration('1h30m', 'it')).toBe(5_400_000);
    expect(refusal(() => duration('2h', 'it', { most: 3_600_000 }))).toBe('INVALID_ARGUMENT');
  });
});

describe('an id', () => {
  const anyId = fc.oneof(
    fc.uuid(),
    fc.uuid().map((each) => each.toUpperCase()),
    anyText,
  );

  it('is a UUID in lower case, or refused, or, of something that exists, unknown', () => {
    fc.assert(
      fc.property(anyId, (value) => {
        const uuid = parseUuid(value);
        expect(refusal(() => id(value, 'it'))).toBe(uuid === undefined ? 'INVALID_ARGUMENT' : undefined);
        expect(refusal(() => knownId(value, 'UNKNOWN_RUN'))).toBe(uuid === undefined ? 'UNKNOWN_RUN' : undefined);
        expect(ids([value])).toEqual(uuid === undefined ? [] : [value.toLowerCase()]);
      }),
    );
  });
});

describe('what has several parts', () => {
  it('has at most so many', () => {
    expect(refusal(() => atMost([1, 2, 3], 'they', 2))).toBe('INVALID_ARGUMENT');
    expect(atMost([1, 2], 'they', 2)).toEqual([1, 2]);
    expect(refusal(() => entriesAtMost({ a: 1, b: 2 }, 'they', 1))).toBe('INVALID_ARGUMENT');
  });

  it('of metadata is the JSON object that Postgres searches for, whatever the names', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), fc.string()), (terms) => {
        const json = metadataTerms(terms);
        const expected =
          Object.keys(terms).length === 0 ? null : JSON.stringify(Object.fromEntries(Object.entries(terms)));
        expect(json).toBe(expected);
      }),
    );
    expect(refusal(() => metadataTerms({ 'a\0': 'b' }))).toBe('INVALID_ARGUMENT');
  });

  it('of a selection is refused whole', () => {
    const none = { statuses: [], workflowIds: [], additionalMetadata: [] };
    expect(refusal(() => selection({ ...none, workflowIds: ['no id'] }))).toBe('INVALID_ARGUMENT');
    expect(refusal(() => selection({ ...none, since: new Date(Number.NaN) }))).toBe('INVALID_ARGUMENT');
    expect(selection({ ...none, since: new Date(8.64e15) }).since?.getTime()).toBe(2 ** 48 - 1);
  });
});

describe('a choice, a cursor, a cron', () => {
  it('is one of a few, or refused', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(refusal(() => oneOf(value, 'it', ['a', 'b']))).toBe(
          value === 'a' || value === 'b' ? undefined : 'INVALID_ARGUMENT',
        );
      }),
    );
    fc.assert(
      fc.property(anyText, (value) => {
        expect(refusal(() => lineCursor(value))).toBe(
          value === '' || /^\d{1,18}$/.test(value) ? undefined : 'INVALID_ARGUMENT',
        );
      }),
    );
    fc.assert(
      fc.property(anyText, anyText, (expression, zone) => {
        expect([undefined, 'INVALID_ARGUMENT']).toContain(refusal(() => cron({ expression, zone }, 'it')));
      }),
    );
    expect(refusal(() => cron({ expression: `${'0,'.repeat(1_000_000)}0 * * * *`, zone: 'UTC' }, 'it'))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});
