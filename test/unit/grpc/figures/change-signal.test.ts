import { describe, expect, it, vi } from 'vitest';
import { ChangeSignal } from '../../../../engine/grpc/figures/change-signal.ts';

interface World {
  changes: ChangeSignal;
  abort: AbortController;
  value: number;
  reads: number;
  next(): Promise<IteratorResult<number>>;
}

function watched(): World {
  const changes = new ChangeSignal();
  const abort = new AbortController();
  const read = (): number => {
    world.reads++;
    return world.value;
  };
  const iterator = changes.watch({ everyMs: 50, read, encode: (figures) => Buffer.from(String(figures)) }, abort.signal);
  const world: World = { changes, abort, value: 1, reads: 0, next: () => iterator.next() };
  return world;
}

describe('ChangeSignal', () => {
  it('gives figures at once, then when they differ, and the newest of what changed in between', async () => {
    const world = watched();
    expect((await world.next()).value).toBe(1);
    const next = world.next();
    for (world.value = 2; world.value < 50; world.value++) world.changes.poke();
    expect((await next).value).toBe(50);
    expect(world.reads).toBe(2);
    world.abort.abort();
    expect((await world.next()).done).toBe(true);
  });

  it('says nothing of a change that changed nothing, and reads nothing without one', async () => {
    const world = watched();
    await world.next();
    const next = world.next();
    world.changes.poke();
    await expect.poll(() => world.reads).toBe(2);
    world.value = 7;
    world.changes.poke();
    expect((await next).value).toBe(7);
    expect(world.reads).toBe(3);
    world.abort.abort();
    expect((await world.next()).done).toBe(true);
    world.changes.poke();
    expect(world.reads).toBe(3);
  });

  it('takes no more of the event loop where many watch: each reads less often', async () => {
    vi.useFakeTimers();
    try {
      let reads = 0;
      const read = (): number => ++reads;
      vi.spyOn(performance, 'now').mockImplementation(() => reads * 10);
      const changes = new ChangeSignal();
      const abort = new AbortController();
      const watchers = Array.from({ length: 20 }, () => changes.watch({ everyMs: 100, read, encode: (figures) => Buffer.from(String(figures)) }, abort.signal));
      const ends = watchers.map(async (watcher) => {
        for await (const _ of watcher) changes.poke();
      });
      for (let ms = 0; ms < 20_000; ms += 100) await vi.advanceTimersByTimeAsync(100);
      // Ten milliseconds each: a twentieth of twenty seconds, beside the first ones, which come at once.
      expect(reads).toBeGreaterThan(40);
      expect(reads).toBeLessThan(160);
      abort.abort();
      await Promise.all(ends);
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });
});
