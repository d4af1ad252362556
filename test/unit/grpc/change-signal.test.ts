import { describe, expect, it } from 'vitest';
import { ChangeSignal } from '../../../engine/grpc/change-signal.ts';

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
});
