import { expect, it } from 'vitest';
import { HoldOff } from '../../../engine/shard/hold-off.ts';

const second = 1_000_000;

it('doubles the pause with each failure in a row, up to a minute, and begins anew for what could be tried again', () => {
  const holds = new HoldOff<string>();
  let nowUs = 0;
  for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    expect(holds.failed('a', nowUs).pauseMs).toBe(pauseMs);
    expect(holds.untilUs('a')).toBe(nowUs + pauseMs * 1000);
    holds.lapse(holds.untilUs('a') - 1);
    nowUs = holds.untilUs('a');
  }
  holds.failed('b', nowUs - second / 2);
  holds.lapse(nowUs);
  expect([holds.untilUs('a'), holds.untilUs('b')]).toEqual([0, nowUs + second / 2]);
  expect(holds.failed('a', nowUs)).toEqual({ pauseMs: 1_000, fails: 1 });
  expect(holds.failed('b', nowUs)).toEqual({ pauseMs: 2_000, fails: 2 });
});
