import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../engine/model/time/duration.ts';
import { durationToMs, durationToString, type Duration } from '../../../sdk/duration.ts';
import { HatchetError } from '../../../sdk/errors.ts';

describe('durations', () => {
  it.each<[Duration, number, string]>([
    ['500ms', 500, '500ms'],
    ['90s', 90_000, '90s'],
    ['42m30s', 2_550_000, '42m30s'],
    ['1h2m3s', 3_723_000, '1h2m3s'],
    [1_500, 1_500, '1s500ms'],
    [0, 0, '0s'],
    [{ minutes: 5 }, 300_000, '5m'],
    [{ hours: 1, seconds: 90 }, 3_690_000, '1h1m30s'],
    [{}, 0, '0s'],
    ['3d', 259_200_000, '72h'],
    ['1d12h', 129_600_000, '36h'],
    [{ days: 2 }, 172_800_000, '48h'],
  ])('%j is %i ms, and %s on the wire', (duration, ms, text) => {
    expect(durationToMs(duration)).toBe(ms);
    expect(durationToString(duration)).toBe(text);
  });

  it.each(['', '5', '-5s', '+5s', '5 s', '3w', '5S', 's', '1.s', '5m-1s'])('refuses %j', (text) => {
    // The types refuse most of these; a value from a configuration is a text whatever its type says.
    const given: Duration = JSON.parse(JSON.stringify(text));
    expect(() => durationToMs(given)).toThrow(HatchetError);
  });

  it.each<Duration>([-1, Number.NaN, Number.POSITIVE_INFINITY, { minutes: -1 }, { hours: 900_000 }])(
    'refuses %j',
    (duration) => {
      expect(() => durationToString(duration)).toThrow(expect.objectContaining({ code: 'INVALID_DURATION' }));
    },
  );

  it.each<[string, string]>([
    ['null', 'null is not'],
    ['true', 'true is not'],
    ['[1]', '[1] is not'],
    ['{"months":1,"hours":2}', '{"months":1,"hours":2} is not'],
  ])('refuses %s from callers without types', (json, message) => {
    const given: Duration = JSON.parse(json);
    expect(() => durationToMs(given)).toThrow(
      expect.objectContaining({ code: 'INVALID_DURATION', message: expect.stringContaining(message) }),
    );
  });

  it('says which number it refuses', () => {
    expect(() => durationToMs(Number.NaN)).toThrow('NaN is not a duration');
    expect(() => durationToMs(Number.POSITIVE_INFINITY)).toThrow('Infinity is not a duration');
  });

  it('what it sends, the engine reads as the same time', () => {
    const part = fc.nat(10_000);
    const durations = fc.oneof(
      fc.tuple(part, part).map(([days, hours]): Duration => `${days}d${hours}h`),
      fc.nat(10_000_000_000),
      fc.record({ hours: part, minutes: part, seconds: part, milliseconds: part }),
    );
    fc.assert(
      fc.property(durations, (duration) => {
        expect(parseDuration(durationToString(duration))).toBe(durationToMs(duration));
      }),
    );
  });
});
