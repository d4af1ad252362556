import { durationToMs, type Duration } from '../sdk/duration.ts';

type Days = `${number}d`;

/** As the SDK's durations, and days: `'30d'`. */
export type TestDuration = Duration | Days;

/** @throws HatchetError INVALID_DURATION */
export function testDurationMs(duration: TestDuration): number {
  return durationToMs(isDays(duration) ? Number.parseFloat(duration) * 86_400_000 : duration);
}

function isDays(duration: TestDuration): duration is Days {
  return typeof duration === 'string' && /^\d+(?:\.\d+)?d$/.test(duration);
}
