import { expect, it } from 'vitest';
import { ShardLife } from '../../../engine/shard/ownership/shard-life.ts';
import { ShardState } from '../../../engine/plan/state/shard-state.ts';

const owned = { id: 7, epoch: 3, lastTransaction: 5, seq: 100, lostUs: 0 };

function served(): ShardLife {
  const life = new ShardLife(7);
  life.acquire(owned);
  life.serve(new ShardState(life.recover()));
  return life;
}

it('is acquired, recovered, served and lost, in this order alone', () => {
  const life = new ShardLife(7);
  expect(life.phase).toBe('free');
  expect(() => life.recover()).toThrow('shard 7 is free, not recovering');
  life.acquire(owned);
  expect([life.phase, life.owned?.epoch, life.state]).toEqual(['acquired', 3, undefined]);
  expect(() => life.acquire(owned)).toThrow('shard 7 is acquired, not free');
  life.recover();
  expect(life.phase).toBe('recovering');
  const state = new ShardState(owned);
  life.serve(state);
  expect([life.phase, life.owned, life.state]).toEqual(['serving', undefined, state]);
  expect(() => life.again()).toThrow('shard 7 is serving');
  expect(life.lose()).toBe(state);
  expect([life.phase, life.lose()]).toEqual(['free', undefined]);
});

it('begins its recovery anew with what it acquired', () => {
  const life = new ShardLife(7);
  life.acquire(owned);
  life.recover();
  life.again();
  expect(life.phase).toBe('acquired');
  expect(life.recover()).toBe(owned);
});

it('is tried again at once after a failure, then after pauses that double up to a minute, until it has worked', () => {
  const life = served();
  const pauses = Array.from({ length: 9 }, () => {
    life.lose();
    return life.fail(1_000).pauseMs;
  });
  expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  expect(life.isWanted(60_999)).toBe(false);
  expect(life.isWanted(61_000)).toBe(true);
  life.acquire(owned);
  expect(life.isWanted(61_000)).toBe(false);
  life.worked();
  expect(life.fail(0)).toEqual({ pauseMs: 0, fails: 1 });
});
