import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronProblem, nextTick } from '../../../engine/model/time/cron.ts';
import { dueTick, oldestCaughtUpMs } from '../../../engine/model/time/missed-ticks.ts';

function ticks(expression: string, zone: string, from: string, count: number): string[] {
  const found: string[] = [];
  for (let ms = Date.parse(from); found.length < count;) {
    ms = nextTick({ expression, zone }, ms);
    found.push(new Date(ms).toISOString().replace(':00.000Z', ''));
  }
  return found;
}

describe('nextTick', () => {
  it('a local time that the clock change leaves out comes due at the change, once', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 3)).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T00:30',
      '2026-03-31T00:30',
    ]);
    expect(ticks('30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', 2)).toEqual([
      '2026-03-08T07:00',
      '2026-03-09T06:30',
    ]);
    // Lord Howe moves by half an hour.
    expect(ticks('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', 2)).toEqual([
      '2026-10-03T15:30',
      '2026-10-04T15:15',
    ]);
  });

  it('a local time that comes twice is due the first time', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
    expect(ticks('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', 2)).toEqual([
      '2026-11-01T05:30',
      '2026-11-02T06:30',
    ]);
    expect(ticks('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00:00Z', 2)).toEqual([
      '2026-04-04T14:45',
      '2026-04-05T15:15',
    ]);
  });

  it('an expression that repeats goes on through the change in even steps', () => {
    for (const from of ['2026-03-29T00:15:00Z', '2026-10-24T23:45:00Z']) {
      const found = ticks('*/30 * * * *', 'Europe/Berlin', from, 6).map((text) => Date.parse(`${text}:00Z`));
      expect(found.slice(1).map((ms, index) => ms - (found[index] ?? 0))).toEqual([
        1_800_000, 1_800_000, 1_800_000, 1_800_000, 1_800_000,
      ]);
    }
  });

  it('takes seconds as the first of six fields', () => {
    expect(nextTick({ expression: '*/10 * * * * *', zone: 'UTC' }, Date.parse('2026-01-01T00:00:05Z'))).toBe(
      Date.parse('2026-01-01T00:00:10Z'),
    );
  });

  it('says what is wrong with an expression or a zone', () => {
    expect(cronProblem({ expression: '61 * * * *', zone: 'UTC' })?.problem).toBe('Invalid value for minute: 61');
    expect(cronProblem({ expression: ' * * * *', zone: 'UTC' })).toEqual({
      problem: 'it has 4 fields',
      remedy: 'Write five fields, or six with seconds first.',
    });
    expect(cronProblem({ expression: '* * * * *', zone: 'No/Where' })).toEqual({
      problem: 'there is no time zone "No/Where"',
      remedy: 'Give an IANA name such as Europe/Berlin, or leave it out for UTC.',
    });
    expect(cronProblem({ expression: '0 0 31 2 *', zone: 'UTC' })?.problem).toBe('it never comes due');
    expect(cronProblem({ expression: '@daily', zone: 'UTC' })).toBeUndefined();
    expect(cronProblem({ expression: '0 9 * * MON-FRI', zone: 'Asia/Kolkata' })).toBeUndefined();
  });
});

/** Ticks that fire when an engine looks at the given times, starting from a due tick. */
function fired(
  expression: string,
  catchUp: 'none' | 'last' | 'all',
  looks: readonly number[],
  firstMs: number,
): number[] {
  const spec = { expression, zone: 'UTC', catchUp };
  const list: number[] = [];
  let dueMs = firstMs;
  for (const nowMs of looks) {
    while (dueMs <= nowMs) {
      const { fire, nextMs } = dueTick(spec, { dueMs, nowMs });
      if (fire) list.push(dueMs);
      expect(nextMs).toBeGreaterThan(dueMs);
      dueMs = nextMs;
    }
  }
  return list;
}

/** One field, as text and as what it stands for. */
interface Field {
  text: string;
  has: (value: number) => boolean;
}

const fieldOf = (low: number, high: number): fc.Arbitrary<Field> => {
  const value = fc.integer({ min: low, max: high });
  return fc.oneof(
    fc.constant({ text: '*', has: () => true }),
    fc
      .constantFrom(2, 5, 7, 20, 30)
      .map((step) => ({ text: `*/${step}`, has: (n: number) => (n - low) % step === 0 }))
      .filter(({ text }) => Number(text.slice(2)) <= high),
    fc
      .uniqueArray(value, { minLength: 1, maxLength: 3 })
      .map((list) => ({ text: list.join(','), has: (n: number) => list.includes(n) })),
    fc.tuple(value, value).map(([a, b]) => ({
      text: `${Math.min(a, b)}-${Math.max(a, b)}`,
      has: (n: number) => n >= Math.min(a, b) && n <= Math.max(a, b),
    })),
  );
};

const quarter = 900_000;
const hourFormats = new Map<string, Intl.DateTimeFormat>();

/** What the zone's clock shows, read from its digits. */
function shown(zone: string, ms: number): number {
  let format = hourFormats.get(zone);
  if (format === undefined)
    hourFormats.set(
      zone,
      (format = new Intl.DateTimeFormat('en-GB', {
        timeZone: zone,
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
      })),
    );
  const at = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(at['year'] ?? 0, (at['month'] ?? 1) - 1, at['day'], at['hour'], at['minute']);
}

/** The days on which the zone's clock is moved, over five years, and as many others. */
function daysOf(zone: string): number[] {
  const days: number[] = [];
  for (let day = Date.UTC(2024, 0, 1); day < Date.UTC(2029, 0, 1); day += 86_400_000) {
    const isMoved = shown(zone, day + 86_400_000) - shown(zone, day) !== 86_400_000;
    if (isMoved) days.push(day, day + 40 * 86_400_000);
  }
  return days.length > 0 ? days : [Date.UTC(2025, 5, 1)];
}

describe('ticks around a change of the clock', () => {
  const zones = [
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'America/Santiago',
    'Africa/Casablanca',
    'Asia/Kolkata',
  ].map((zone) => ({ zone, days: daysOf(zone) }));

  it('are those of an enumeration, minute by minute, in six zones over five years', () => {
    const place = fc
      .constantFrom(...zones)
      .chain(({ zone, days }) => fc.record({ zone: fc.constant(zone), day: fc.constantFrom(...days) }));
    fc.assert(
      fc.property(place, fieldOf(0, 59), fieldOf(0, 23), ({ zone, day }, minute, hour) => {
        const from = day - 43_200_000;
        const until = day + 1.25 * 86_400_000;
        // Offsets change at quarters of an hour.
        const shows: { ms: number; wall: number }[] = [];
        for (let at = from; at < until; at += quarter) {
          const wall = shown(zone, at);
          for (let more = 0; more < quarter; more += 60_000) shows.push({ ms: at + more, wall: wall + more });
        }
        const isTick = (wall: number): boolean =>
          minute.has(new Date(wall).getUTCMinutes()) && hour.has(new Date(wall).getUTCHours());
        const expected = new Set<number>();
        if (hour.text.startsWith('*')) {
          for (const { ms, wall } of shows) if (isTick(wall)) expected.add(ms);
        } else {
          let latest = -Infinity;
          for (const { ms, wall } of shows) {
            // All wall times that the clock passes with this minute, those that it leaps over among them.
            for (
              let passed = Math.max(latest + 60_000, latest === -Infinity ? wall : 0);
              passed <= wall;
              passed += 60_000
            )
              if (isTick(passed)) expected.add(ms);
            latest = Math.max(latest, wall);
          }
        }
        const found: number[] = [];
        for (
          let ms = nextTick({ expression: `${minute.text} ${hour.text} * * *`, zone }, from - 1);
          ms < until;
          ms = nextTick({ expression: `${minute.text} ${hour.text} * * *`, zone }, ms)
        )
          found.push(ms);
        // At the window's start the enumeration does not know what came before.
        expect(found.filter((ms) => ms >= from + 3_600_000)).toEqual(
          [...expected].filter((ms) => ms >= from + 3_600_000).sort((a, b) => a - b),
        );
      }),
      { numRuns: 120 },
    );
  }, 120_000);

  it.each([
    // Skipped: 2:00 to 3:00 in Berlin on 2026-03-29, at 01:00 UTC.
    ['30 2,14 * * *', '2026-03-28T20:00:00Z', ['2026-03-29T01:00', '2026-03-29T12:30']],
    [
      '0 0-4 * * *',
      '2026-03-28T22:30:00Z',
      ['2026-03-28T23:00', '2026-03-29T00:00', '2026-03-29T01:00', '2026-03-29T02:00'],
    ],
    ['15,45 2 * * *', '2026-03-28T20:00:00Z', ['2026-03-29T01:00', '2026-03-30T00:15']],
    ['*/20 2 * * *', '2026-03-28T20:00:00Z', ['2026-03-29T01:00', '2026-03-30T00:00']],
    // Twice: 2:00 to 3:00 on 2026-10-25, at 00:00 and 01:00 UTC.
    ['30 2,14 * * *', '2026-10-24T20:00:00Z', ['2026-10-25T00:30', '2026-10-25T13:30']],
    [
      '0 0-4 * * *',
      '2026-10-24T21:30:00Z',
      ['2026-10-24T22:00', '2026-10-24T23:00', '2026-10-25T00:00', '2026-10-25T02:00', '2026-10-25T03:00'],
    ],
    ['15,45 2 * * *', '2026-10-24T20:00:00Z', ['2026-10-25T00:15', '2026-10-25T00:45', '2026-10-26T01:15']],
    [
      '*/20 2 * * *',
      '2026-10-24T20:00:00Z',
      ['2026-10-25T00:00', '2026-10-25T00:20', '2026-10-25T00:40', '2026-10-26T01:00'],
    ],
    [
      '10 */2 * * *',
      '2026-10-24T21:00:00Z',
      ['2026-10-24T22:10', '2026-10-25T00:10', '2026-10-25T01:10', '2026-10-25T03:10'],
    ],
    ['@hourly', '2026-10-24T23:30:00Z', ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00']],
  ])('%s from %s', (expression, from, expected) => {
    expect(ticks(expression, 'Europe/Berlin', from, expected.length)).toEqual(expected);
  });

  it('a day that a zone left out comes due at its end', () => {
    expect(ticks('0 12 30 12 *', 'Pacific/Apia', '2011-12-01T00:00:00Z', 1)).toEqual(['2011-12-30T10:00']);
  });

  it('day of month or day of week: either will do where both are given', () => {
    expect(ticks('0 0 13 * 5', 'UTC', '2026-02-01T00:00:00Z', 4)).toEqual([
      '2026-02-06T00:00',
      '2026-02-13T00:00',
      '2026-02-20T00:00',
      '2026-02-27T00:00',
    ]);
  });
});

describe('dueTick', () => {
  const start = Date.parse('2026-05-05T10:00:00Z');
  const minute = 60_000;

  it('fires on time, and after a short absence', () => {
    expect(fired('* * * * *', 'none', [start, start + minute, start + 2 * minute + 30_000], start)).toEqual([
      start,
      start + minute,
      start + 2 * minute,
    ]);
  });

  it('after an absence: none but a fresh one, the last, or all', () => {
    const back = start + 10 * minute + 30_000;
    expect(fired('* * * * *', 'none', [back], start)).toEqual([start + 10 * minute]);
    expect(fired('*/5 * * * *', 'none', [start + 14 * minute], start)).toEqual([]);
    expect(fired('*/5 * * * *', 'last', [start + 14 * minute], start)).toEqual([start + 10 * minute]);
    expect(fired('*/5 * * * *', 'all', [start + 14 * minute], start)).toEqual([
      start,
      start + 5 * minute,
      start + 10 * minute,
    ]);
    expect(fired('0 * * * *', 'all', [start + 50 * 3_600_000], start)).toHaveLength(24);
    expect(oldestCaughtUpMs).toBe(24 * 3_600_000);
  });

  it('never fires a tick twice, never a wrong one, whenever it is looked at', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('none' as const, 'last' as const, 'all' as const),
        fc.constantFrom('* * * * *', '*/7 * * * *', '0 * * * *', '*/20 * * * * *'),
        fc.array(fc.integer({ min: 1, max: 900_000 }), { minLength: 1, maxLength: 10 }),
        (catchUp, expression, gaps) => {
          let at = start;
          const looks = gaps.map((gap) => (at += gap));
          const list = fired(expression, catchUp, looks, nextTick({ expression, zone: 'UTC' }, start - 1));
          expect(new Set(list).size).toBe(list.length);
          for (const ms of list) expect(nextTick({ expression, zone: 'UTC' }, ms - 1)).toBe(ms);
          expect([...list].sort((a, b) => a - b)).toEqual(list);
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);
});
