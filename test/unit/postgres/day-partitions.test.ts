import fc from 'fast-check';
import { expect, test } from 'vitest';
import { uuidTimeMs } from '../../../engine/model/ids/uuid.ts';
import {
  dayBound,
  dayOf,
  oldPartitionName,
  partitionDay,
  partitionName,
} from '../../../engine/postgres/schema/day-partitions.ts';

const dayMs = 86_400_000;
const day = fc.integer({ min: 0, max: 80_000 });

test('an id lies within the bounds of its own day and of no other', () => {
  fc.assert(
    fc.property(day, fc.integer({ min: 0, max: dayMs - 1 }), fc.uuid({ version: 7 }), (day, within, tail) => {
      const time = (day * dayMs + within).toString(16).padStart(12, '0');
      const id = `${time.slice(0, 8)}-${time.slice(8)}${tail.slice(13)}`;
      expect(dayBound(day) <= id && id < dayBound(day + 1)).toBe(true);
      expect(dayOf(uuidTimeMs(id))).toBe(day);
    }),
  );
});

test('names tell their day', () => {
  fc.assert(
    fc.property(day, (day) => {
      expect(partitionDay(partitionName('run', day))).toEqual({ day, old: false });
      expect(partitionDay(oldPartitionName('run_end', day))).toEqual({ day, old: true });
    }),
  );
  expect(partitionDay('run_end')).toBeUndefined();
  expect(partitionName('run_end', 20_484)).toBe('run_end_20260131');
});
