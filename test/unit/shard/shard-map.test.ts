import { expect, it } from 'vitest';
import type { SurveySqlRow } from '../../../engine/shard/ownership/process-lease.ts';
import { ShardMap } from '../../../engine/shard/ownership/shard-map.ts';

function row(id: number | null, owner: string | null, given: Partial<SurveySqlRow> = {}): SurveySqlRow {
  return {
    id,
    owner,
    free: owner === null,
    abandoned: false,
    alive: owner !== null,
    grpc_address: owner === null ? null : `${owner}:7077`,
    http_address: owner === null ? null : `${owner}:8888`,
    ...given,
  };
}

it('knows who has a shard: another engine that is alive and takes calls', () => {
  const map = new ShardMap('self');
  map.update([
    row(0, 'self'),
    row(1, 'other'),
    row(2, 'dead', { alive: false }),
    row(3, 'silent', { grpc_address: null, http_address: null }),
    row(4, null),
    row(null, 'idle'),
  ]);
  expect([0, 1, 2, 3, 4].map((shard) => map.peerOf(shard)?.id)).toEqual([undefined, 'other', ...Array(3)]);
  expect(map.reachable.map(({ id }) => id)).toEqual(['other', 'idle']);
});

it('tells which shards another engine has from now on, once', () => {
  const map = new ShardMap('self');
  expect(map.update([row(0, 'self'), row(1, 'a')])).toEqual([1]);
  expect(map.update([row(0, 'a'), row(1, 'a')])).toEqual([0]);
  expect(map.update([row(0, 'a'), row(1, 'b')])).toEqual([1]);
  expect(map.update([row(0, null), row(1, 'b')])).toEqual([]);
  expect(map.peerOf(0)).toBeUndefined();
  expect(map.update([row(0, 'a'), row(1, 'self')])).toEqual([0]);
});

it('has one object for an engine as long as its addresses are the same, so that connections are kept', () => {
  const map = new ShardMap('self');
  map.update([row(0, 'a'), row(1, 'a')]);
  const before = map.peerOf(0);
  expect(map.peerOf(1)).toBe(before);
  map.update([row(0, 'a')]);
  expect(map.peerOf(0)).toBe(before);
  map.update([row(0, 'a', { grpc_address: 'a:7078' })]);
  expect(map.peerOf(0)).not.toBe(before);
});
