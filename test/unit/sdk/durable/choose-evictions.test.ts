import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseEvictions, type WaitingInvocation } from '../../../../sdk/durable/choose-evictions.ts';

const minute = 60_000;

function waiting(options: Partial<WaitingInvocation> = {}): WaitingInvocation {
  return {
    startedAt: 0,
    waitingSince: 0,
    ttlMs: 15 * minute,
    executionTimeoutMs: 60 * minute,
    priority: 0,
    yields: true,
    isAsleep: false,
    replays: false,
    ...options,
  };
}

const roomy = { running: 1, slots: 1000, stopping: false };

describe('chooseEvictions', () => {
  it('has those leave that waited for their ttl, and those that would be timed out', () => {
    const byTtl = waiting();
    const byTimeout = waiting({ executionTimeoutMs: minute, waitingSince: 30_000 });
    expect(chooseEvictions([byTtl, byTimeout], { ...roomy, now: 29_999 })).toEqual([]);
    expect(chooseEvictions([byTtl, byTimeout], { ...roomy, now: 30_000 })).toEqual([
      { who: byTimeout, cause: 'timeout' },
    ]);
    expect(chooseEvictions([byTtl], { ...roomy, now: 15 * minute })).toEqual([{ who: byTtl, cause: 'ttl' }]);
    expect(chooseEvictions([waiting({ ttlMs: undefined })], { ...roomy, now: 29 * minute })).toEqual([]);
  });

  it('lets one that replays go on for its timeout, unless it waits where it was', () => {
    const replaying = waiting({ executionTimeoutMs: minute, waitingSince: 40_000, replays: true });
    expect(chooseEvictions([replaying], { ...roomy, now: 40_099 })).toEqual([]);
    expect(chooseEvictions([replaying], { ...roomy, now: 40_100 })).toEqual([{ who: replaying, cause: 'timeout' }]);
  });

  it('makes half of the slots free where all are taken: lowest priority first, then who waited longest', () => {
    const all = [
      waiting({ priority: 1 }),
      waiting({ waitingSince: 10 }),
      waiting({ waitingSince: 5 }),
      waiting({ yields: false }),
    ];
    const full = { now: 1000, running: 4, slots: 4, stopping: false };
    expect(chooseEvictions(all, full)).toEqual([
      { who: all[2], cause: 'capacity' },
      { who: all[1], cause: 'capacity' },
    ]);
    expect(chooseEvictions(all, { ...full, running: 3 })).toEqual([]);
    expect(chooseEvictions([waiting({ waitingSince: 950 })], { ...full, running: 4 })).toEqual([]);
    expect(chooseEvictions([waiting()], { ...full, running: 1, slots: 1 })).toHaveLength(1);
  });

  it('lets those go sooner that sleep for long, but not as soon as they are told so', () => {
    const full = { running: 1, slots: 1, stopping: false };
    const asleep = waiting({ isAsleep: true });
    expect(chooseEvictions([asleep], { ...full, now: 19 })).toEqual([]);
    expect(chooseEvictions([asleep], { ...full, now: 20 })).toEqual([{ who: asleep, cause: 'capacity' }]);
    expect(chooseEvictions([waiting()], { ...full, now: 99 })).toEqual([]);
  });

  it('has all leave a worker that stops, and never anybody twice', () => {
    const one = fc.record({
      startedAt: fc.nat(1000),
      waitingSince: fc.nat(1000),
      ttlMs: fc.option(fc.nat(1000), { nil: undefined }),
      executionTimeoutMs: fc.nat(2000),
      priority: fc.nat(2),
      yields: fc.boolean(),
      isAsleep: fc.boolean(),
      replays: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(one),
        fc.nat(3000),
        fc.nat(20),
        fc.nat(5),
        fc.boolean(),
        (all, now, slots, others, stopping) => {
          const chosen = chooseEvictions(all, { now, running: all.length + others, slots, stopping }).map(
            ({ who }) => who,
          );
          expect(new Set(chosen).size).toBe(chosen.length);
          expect(chosen.every((who) => all.includes(who))).toBe(true);
          if (stopping) expect(chosen).toEqual(all);
        },
      ),
    );
  });
});
