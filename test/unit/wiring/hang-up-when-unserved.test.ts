import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { processHost } from '../../../engine/base/host.ts';
import { HangUpWhenUnserved } from '../../../engine/wiring/hang-up-when-unserved.ts';

let serving: boolean;
let turnedAway: number;
let turnAway: HangUpWhenUnserved;

beforeEach(() => {
  vi.useFakeTimers();
  [serving, turnedAway] = [false, 0];
  turnAway = new HangUpWhenUnserved({ isServing: () => serving, turnAway: () => turnedAway++, host: processHost });
});

afterEach(() => {
  turnAway.stop();
  vi.useRealTimers();
});

it('ends the connections once, when nothing is served a while after shards were lost', () => {
  turnAway.lost();
  turnAway.lost();
  vi.advanceTimersByTime(5_900);
  expect(turnedAway).toBe(0);
  vi.advanceTimersByTime(10_000);
  expect(turnedAway).toBe(1);
});

it('keeps them where anything is served again by then', () => {
  turnAway.lost();
  serving = true;
  vi.advanceTimersByTime(20_000);
  expect(turnedAway).toBe(0);
});
