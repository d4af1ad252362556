import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AwakeClock } from '../../../engine/base/awake-clock.ts';
import { processHost } from '../../../engine/base/host.ts';
import { createLog } from '../../../engine/base/log.ts';
import { PostgresClock } from '../../../engine/postgres/postgres-clock.ts';

const epochMs = 1_800_000_000_000;

/** Of this process. Postgres's clock shows `epochMs + monotonicMs + aheadMs`. */
let monotonicMs: number;
let aheadMs: number;
/** How long a question and an answer are on their way. */
let there: number;
let back: number;
let wallMs: () => number;
let awake: AwakeClock;
let clock: PostgresClock;
let warnings: string[];

beforeEach(async () => {
  vi.useFakeTimers();
  [monotonicMs, aheadMs, there, back, warnings] = [5_000, 0, 0, 0, []];
  wallMs = () => epochMs + monotonicMs;
  awake = new AwakeClock({ ...processHost, monotonicMs: () => monotonicMs });
  const log = createLog('silent');
  vi.spyOn(log, 'warn').mockImplementation((_: unknown, message?: string) => void warnings.push(String(message)));
  clock = new PostgresClock({
    read: (asked) => {
      asked();
      monotonicMs += there;
      const ms = postgresMs();
      monotonicMs += back;
      return Promise.resolve(ms);
    },
    awake,
    log,
    host: { ...processHost, monotonicMs: () => monotonicMs, wallMs: () => wallMs() },
  });
  await clock.start();
});

afterEach(async () => {
  await clock.stop();
  awake.stop();
  vi.useRealTimers();
});

const postgresMs = (): number => epochMs + monotonicMs + aheadMs;

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    monotonicMs += 100;
    await vi.advanceTimersByTimeAsync(100);
  }
}

const errorMs = (): number => Math.abs(clock.nowUs() / 1000 - postgresMs());

describe("the engine's time", () => {
  it("is Postgres's, whatever the clock of the machine shows, and whoever sets it", async () => {
    wallMs = () => epochMs + monotonicMs + 3_600_000;
    await pass(30_000);
    expect(errorMs()).toBeLessThan(1);
    wallMs = () => epochMs + monotonicMs - 3_600_000;
    await pass(30_000);
    expect([errorMs() < 1, clock.standstillUs()]).toEqual([true, 0]);
    expect(warnings.filter((line) => line.includes('disagree'))).toHaveLength(1);
    wallMs = () => epochMs + monotonicMs;
    await pass(10_000);
    wallMs = () => epochMs;
    await pass(60_000);
    expect(warnings.filter((line) => line.includes('disagree'))).toHaveLength(2);
  });

  it('is moved by no slow answer, and by drift as far as that shows', async () => {
    [there, back] = [0, 2_000];
    await clock.measure();
    expect(errorMs()).toBeLessThan(1);
    [there, back] = [2_000, 0];
    await clock.measure();
    expect(errorMs()).toBeLessThan(1);
    [there, back] = [1, 1];
    aheadMs = 20;
    await clock.measure();
    expect(errorMs()).toBeLessThanOrEqual(1);
  });

  it('does not go back for a small step, and follows a large one: it never stands still for long', async () => {
    let before = clock.nowUs();
    aheadMs = -400;
    await clock.measure();
    expect(clock.nowUs()).toBe(before);
    await pass(500);
    expect(clock.nowUs()).toBeGreaterThan(before);
    aheadMs = 3_600_000;
    await clock.measure();
    expect(errorMs()).toBeLessThan(1);
    aheadMs = 0;
    await clock.measure();
    expect(errorMs()).toBeLessThan(1);
    before = clock.nowUs();
    await pass(100);
    expect(clock.nowUs() - before).toBe(100_000);
  });

  it('tells how much of it the process has not lived through', async () => {
    aheadMs = 3_600_000; // the machine slept, or the clock was set
    await pass(10_000);
    expect(Math.round(clock.standstillUs() / 1e6)).toBe(3_600);
    aheadMs = 0;
    await pass(10_000);
    expect(Math.round(clock.standstillUs() / 1e6)).toBe(0);
    monotonicMs += 36_000; // the process was stopped
    await pass(1_000);
    expect(Math.round(clock.standstillUs() / 1e6)).toBe(36);
    expect(warnings.filter((line) => line.includes('was set'))).toHaveLength(2);
  });
});
