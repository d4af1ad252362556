import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChangeSignal } from '../../../engine/figures/change-signal.ts';
import { FigureFeeds } from '../../../engine/figures/figure-feeds.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';
import { tenantOf } from '../../helpers/tenant.ts';

interface World {
  changes: ChangeSignal;
  abort: AbortController;
  value: number;
  reads: string[];
  watch(tenantId?: TenantId): AsyncGenerator<string>;
}

function makeWorld(): World {
  const changes = new ChangeSignal();
  const abort = new AbortController();
  const read = (tenantId: TenantId): string => {
    world.reads.push(tenantId);
    return `${tenantId} ${world.value}`;
  };
  const feeds = new FigureFeeds(changes, { everyMs: 50, read, encode: (figures) => Buffer.from(figures) });
  const world: World = {
    changes,
    abort,
    value: 1,
    reads: [],
    watch: (tenantId = tenantOf('a')) => feeds.watch(tenantId, abort.signal),
  };
  return world;
}

describe('FigureFeeds', () => {
  it('gives figures at once, then when they differ, and the newest of what changed in between', async () => {
    const world = makeWorld();
    const watcher = world.watch();
    expect((await watcher.next()).value).toBe('a 1');
    const next = watcher.next();
    for (world.value = 2; world.value < 50; world.value++) world.changes.poke();
    expect((await next).value).toBe('a 50');
    expect(world.reads).toHaveLength(2);
    world.abort.abort();
    expect((await watcher.next()).done).toBe(true);
  });

  it('says nothing of a change that changed nothing, and reads nothing without one, nor once nobody watches', async () => {
    const world = makeWorld();
    const watcher = world.watch();
    await watcher.next();
    const next = watcher.next();
    world.changes.poke();
    await expect.poll(() => world.reads.length).toBe(2);
    world.value = 7;
    world.changes.poke();
    expect((await next).value).toBe('a 7');
    expect(world.reads).toHaveLength(3);
    world.abort.abort();
    expect((await watcher.next()).done).toBe(true);
    world.changes.poke();
    expect(world.reads).toHaveLength(3);
  });

  it('reads once for all who watch a tenant, and for each tenant its own', async () => {
    const world = makeWorld();
    const watchers = [...Array.from({ length: 120 }, () => world.watch()), world.watch(tenantOf('b'))];
    const first = await Promise.all(watchers.map(async (watcher) => (await watcher.next()).value));
    expect(new Set(first)).toEqual(new Set(['a 1', 'b 1']));
    expect(world.reads).toEqual(['a', 'b']);
    world.value = 2;
    world.changes.poke();
    const second = await Promise.all(watchers.map(async (watcher) => (await watcher.next()).value));
    expect(second.filter((figures) => figures === 'a 2')).toHaveLength(120);
    // Whose turn comes first is said nowhere.
    expect(world.reads.slice(2).sort()).toEqual(['a', 'b']);
    world.abort.abort();
    expect((await Promise.all(watchers.map((watcher) => watcher.next()))).every(({ done }) => done)).toBe(true);
  });

  it('lets others have the event loop between some watchers and the next', async () => {
    const world = makeWorld();
    const watchers = Array.from({ length: 200 }, () => world.watch());
    await Promise.all(watchers.map((watcher) => watcher.next()));
    let heard = 0;
    const next = watchers.map(async (watcher) => {
      await watcher.next();
      heard += 1;
    });
    const seen: number[] = [];
    const look = (): void => {
      if (seen.at(-1) !== heard) seen.push(heard);
      if (heard < watchers.length) setImmediate(look);
    };
    look();
    world.value = 2;
    world.changes.poke();
    await Promise.all(next);
    expect(seen.length).toBeGreaterThanOrEqual(4);
    world.abort.abort();
    await Promise.all(watchers.map((watcher) => watcher.next()));
  });

  describe('where time is told', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
    afterEach(() => {
      vi.restoreAllMocks();
      vi.useRealTimers();
    });

    it('takes no more of the event loop where many watch', async () => {
      let reads = 0;
      // Ten milliseconds each.
      vi.spyOn(performance, 'now').mockImplementation(() => reads * 10);
      const changes = new ChangeSignal();
      const abort = new AbortController();
      const feeds = new FigureFeeds(changes, {
        everyMs: 100,
        read: () => ++reads,
        encode: (figures) => Buffer.from(String(figures)),
      });
      const ends = Array.from({ length: 20 }, async (_, tenant) => {
        for await (const _ of feeds.watch(tenantOf(String(tenant)), abort.signal)) changes.poke();
      });
      for (let ms = 0; ms < 20_000; ms += 100) await vi.advanceTimersByTimeAsync(100);
      // A twentieth of twenty seconds, beside the first ones, which come at once.
      expect(reads).toBeGreaterThan(60);
      expect(reads).toBeLessThan(160);
      abort.abort();
      await Promise.all(ends);
    });

    it('writes less often where a thousand watch one tenant', async () => {
      let reads = 0;
      const changes = new ChangeSignal();
      const abort = new AbortController();
      const feeds = new FigureFeeds(changes, {
        everyMs: 100,
        read: () => ++reads,
        encode: (figures) => Buffer.from(String(figures)),
      });
      const ends = Array.from({ length: 1_000 }, async () => {
        for await (const _ of feeds.watch(tenantOf('a'), abort.signal)) changes.poke();
      });
      for (let ms = 0; ms < 20_000; ms += 100) {
        await vi.advanceTimersByTimeAsync(100);
        for (let turn = 0; turn < 25; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
      }
      // Each reading costs a thousand messages, 50 ms: a twentieth of twenty seconds.
      expect(reads).toBeGreaterThan(10);
      expect(reads).toBeLessThan(22);
      abort.abort();
      await Promise.all(ends);
    });
  });
});
