import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronProblem, dueTick, nextTick, oldestCaughtUpMs } from '../../../engine/model/cron.ts';

function ticks(expression: string, zone: string, from: string, count: number): string[] {
  const found: string[] = [];
  for (let ms = Date.parse(from); found.length < count; ) {
    ms = nextTick({ expression, zone }, ms);
    found.push(new Date(ms).toISOString().replace(':00.000Z', ''));
  }
  return found;
}

describe('nextTick', () => {
  it('a local time that the clock change leaves out comes due at the change, once', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 3)).toEqual(['2026-03-29T01:00', '2026-03-30T00:30', '2026-03-31T00:30']);
    expect(ticks('30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', 2)).toEqual(['2026-03-08T07:00', '2026-03-09T06:30']);
    // Lord Howe moves by half an hour.
    expect(ticks('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', 2)).toEqual(['2026-10-03T15:30', '2026-10-04T15:15']);
  });

  it('a local time that comes twice is due the first time', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
    expect(ticks('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', 2)).toEqual(['2026-11-01T05:30', '2026-11-02T06:30']);
    expect(ticks('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00:00Z', 2)).toEqual(['2026-04-04T14:45', '2026-04-05T15:15']);
  });

  it('an expression that repeats goes on through the change in even steps', () => {
    for (const from of ['2026-03-29T00:15:00Z', '2026-10-24T23:45:00Z']) {
      const found = ticks('*/30 * * * *', 'Europe/Berlin', from, 6).map((text) => Date.parse(`${text}:00Z`));
      expect(found.slice(1).map((ms, index) => ms - (found[index] ?? 0))).toEqual([1_800_000, 1_800_000, 1_800_000, 1_800_000, 1_800_000]);
    }
  });

  it('takes seconds as the first of six fields', () => {
    expect(nextTick({ expression: '*/10 * * * * *', zone: 'UTC' }, Date.parse('2026-01-01T00:00:05Z'))).toBe(Date.parse('2026-01-01T00:00:10Z'));
  });

  it('says what is wrong with an expression or a zone', () => {
    expect(cronProblem({ expression: '61 * * * *', zone: 'UTC' })?.problem).toBe('Invalid value for minute: 61');
    expect(cronProblem({ expression: ' * * * *', zone: 'UTC' })).toEqual({ problem: 'it has 4 fields', remedy: 'Write five fields, or six with seconds first.' });
    expect(cronProblem({ expression: '* * * * *', zone: 'No/Where' })).toEqual({ problem: 'there is no time zone "No/Where"', remedy: 'Give an IANA name such as Europe/Berlin, or leave it out for UTC.' });
    expect(cronProblem({ expression: '0 0 31 2 *', zone: 'UTC' })?.problem).toBe('it never comes due');
    expect(cronProblem({ expression: '@daily', zone: 'UTC' })).toBeUndefined();
    expect(cronProblem({ expression: '0 9 * * MON-FRI', zone: 'Asia/Kolkata' })).toBeUndefined();
  });
});

/** Ticks that fire when an engine looks at the given times, starting from a due tick. */
function fired(expression: string, catchUp: 'none' | 'last' | 'all', looks: readonly number[], firstMs: number): number[] {
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

describe('dueTick', () => {
  const start = Date.parse('2026-05-05T10:00:00Z');
  const minute = 60_000;

  it('fires on time, and after a short absence', () => {
    expect(fired('* * * * *', 'none', [start, start + minute, start + 2 * minute + 30_000], start)).toEqual([start, start + minute, start + 2 * minute]);
  });

  it('after an absence: none but a fresh one, the last, or all', () => {
    const back = start + 10 * minute + 30_000;
    expect(fired('* * * * *', 'none', [back], start)).toEqual([start + 10 * minute]);
    expect(fired('*/5 * * * *', 'none', [start + 14 * minute], start)).toEqual([]);
    expect(fired('*/5 * * * *', 'last', [start + 14 * minute], start)).toEqual([start + 10 * minute]);
    expect(fired('*/5 * * * *', 'all', [start + 14 * minute], start)).toEqual([start, start + 5 * minute, start + 10 * minute]);
    expect(fired('0 * * * *', 'all', [start + 50 * 3_600_000], start)).toHaveLength(24);
    expect(oldestCaughtUpMs).toBe(24 * 3_600_000);
  });

  it('never fires a tick twice, never a wrong one, whenever it is looked at', () => {
    fc.assert(
      fc.property(fc.constantFrom('none' as const, 'last' as const, 'all' as const), fc.constantFrom('* * * * *', '*/7 * * * *', '0 * * * *', '*/20 * * * * *'), fc.array(fc.integer({ min: 1, max: 900_000 }), { minLength: 1, maxLength: 10 }), (catchUp, expression, gaps) => {
        let at = start;
        const looks = gaps.map((gap) => (at += gap));
        const list = fired(expression, catchUp, looks, nextTick({ expression, zone: 'UTC' }, start - 1));
        expect(new Set(list).size).toBe(list.length);
        for (const ms of list) expect(nextTick({ expression, zone: 'UTC' }, ms - 1)).toBe(ms);
        expect([...list].sort((a, b) => a - b)).toEqual(list);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
