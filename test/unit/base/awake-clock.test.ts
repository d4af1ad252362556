import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AwakeClock } from '../../../engine/base/awake-clock.ts';
import { processHost } from '../../../engine/base/host.ts';

let monotonicMs: number;
let clock: AwakeClock;

beforeEach(() => {
  vi.useFakeTimers();
  monotonicMs = 5_000;
  clock = new AwakeClock({ ...processHost, monotonicMs: () => monotonicMs });
});

afterEach(() => {
  clock.stop();
  vi.useRealTimers();
});

/** The process is awake: its timers come in time. */
function live(ms: number): void {
  for (let left = ms; left > 0; left -= 50) {
    monotonicMs += 50;
    vi.advanceTimersByTime(50);
  }
}

/** No timer comes. */
function stall(ms: number): void {
  monotonicMs += ms;
}

describe('the clock of a process that may stand still', () => {
  it('runs as any other while the process is awake', () => {
    live(60_000);
    expect([clock.nowMs(), clock.pausedMs(), clock.isCatchingUp()]).toEqual([60_000, 0, false]);
  });

  it('leaves a pause out, whether it is asked before its own timer comes or after', () => {
    live(10_000);
    stall(36_000);
    expect(clock.nowMs()).toBe(10_400);
    expect([clock.pausedMs(), clock.isCatchingUp()]).toEqual([35_600, true]);
    live(1_000);
    expect(clock.nowMs()).toBeLessThanOrEqual(11_400);
    expect(clock.nowMs() + clock.pausedMs()).toBe(47_000);
  });

  it('never goes back', () => {
    let before = 0;
    for (const ms of [0, 100, 500, 3, 40_000, 1, 900]) {
      stall(ms);
      expect(clock.nowMs()).toBeGreaterThanOrEqual(before);
      before = clock.nowMs();
      live(150);
      expect(clock.nowMs()).toBeGreaterThanOrEqual(before);
      before = clock.nowMs();
    }
  });

  it('is catching up for as long as the pause was, and for 5 s at the most', () => {
    stall(2_000);
    live(1_000);
    expect(clock.isCatchingUp()).toBe(true);
    live(1_500);
    expect(clock.isCatchingUp()).toBe(false);
    stall(3_600_000);
    live(4_000);
    expect(clock.isCatchingUp()).toBe(true);
    live(2_000);
    expect(clock.isCatchingUp()).toBe(false);
  });

  it('leaves room for verdicts in a process that stalls again and again', () => {
    let verdicts = 0;
    for (let n = 0; n < 10; n++) {
      stall(1_500);
      for (let at = 0; at < 6; at++) {
        live(500);
        if (!clock.isCatchingUp()) verdicts++;
      }
    }
    expect(verdicts).toBeGreaterThan(10);
  });
});
