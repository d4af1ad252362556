import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ChunkOrder } from '../../../engine/monitor/lines/chunk-order.ts';
import type { StoredChunk } from '../../../engine/monitor/lines/stream-reads.ts';

const chunkOf = (taskId: string, number: number): StoredChunk => ({
  id: '0',
  taskId,
  attempt: 0,
  number: String(number),
  chunk: Buffer.from(''),
});

it('gives every chunk once, each task’s in order, whatever the order of arrival', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(
        Array.from({ length: 20 }, (_, index) => index),
        { minLength: 1 },
      ),
      fc.integer({ min: 1, max: 3 }),
      (numbers, tasks) => {
        const order = new ChunkOrder();
        const given: StoredChunk[] = [];
        for (const number of numbers)
          for (let task = 0; task < tasks; task++) given.push(...order.add(chunkOf(`t${task}`, number)));
        const complete = numbers.length === 20;
        expect(order.hasGaps).toBe(!complete && Math.max(...numbers) + 1 !== numbers.length);
        given.push(...order.flush());
        for (let task = 0; task < tasks; task++) {
          const own = given.filter((chunk) => chunk.taskId === `t${task}`).map((chunk) => Number(chunk.number));
          expect(own).toEqual([...numbers].sort((a, b) => a - b));
        }
        expect(order.hasGaps).toBe(false);
      },
    ),
  );
});
