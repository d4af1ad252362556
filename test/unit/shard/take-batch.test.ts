import fc from 'fast-check';
import { expect, it } from 'vitest';
import { noFacts } from '../../../engine/plan/commands/facts.ts';
import type { Job } from '../../../engine/shard/job.ts';
import { batchChars, JobPayloads } from '../../../engine/shard/job-payloads.ts';
import { takeBatch } from '../../../engine/shard/take-batch.ts';

function job(taskId: string, chars: number): Job {
  const command = { kind: 'completed', tenantId: 't', taskId, attempt: 0, output: 'x'.repeat(chars) } as const;
  const payloads = new JobPayloads(command);
  payloads.unstage(); // they go with the batch
  return {
    shard: 0,
    tenantId: 't',
    rows: 1,
    command,
    payloads,
    queuedAtMs: 0,
    mayBeDone: false,
    facts: noFacts,
    longLogs: [],
    run: () => () => undefined,
    reject: () => undefined,
  };
}

const taskOf = ({ command }: Job): string => ('taskId' in command ? command.taskId : '');

it('takes every job once, never a later one of a task first, and no more payload than a batch holds', () => {
  const jobs = fc.array(
    fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom(1, 1000, 300_000, 900_000, 2_000_000)),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(jobs, fc.constantFrom('', 'a', 'b'), (list, notReady) => {
      let queue = list.map(([taskId, chars]) => job(taskId, chars));
      const all = queue;
      const taken: Job[] = [];
      for (let rounds = 0; queue.length > 0 && rounds < 100; rounds++) {
        const isReady = (one: Job): boolean => rounds > 3 || taskOf(one) !== notReady;
        const { jobs: batch, left } = takeBatch(queue, isReady);
        expect(batch.every(isReady)).toBe(true);
        const [, ...others] = batch;
        const long = others.filter(({ payloads }) => payloads.weight > 1024);
        expect(
          long.length === 0 || batch.reduce((sum, { payloads }) => sum + payloads.weight, 0) <= batchChars + 30 * 1024,
        ).toBe(true);
        expect(batch.length + left.length).toBe(queue.length);
        taken.push(...batch);
        queue = left;
      }
      expect(new Set(taken)).toEqual(new Set(all));
      for (const id of ['a', 'b', 'c', 'd'])
        expect(taken.filter((one) => taskOf(one) === id)).toEqual(all.filter((one) => taskOf(one) === id));
    }),
  );
});

it('lets short ones pass the long ones that wait for room', () => {
  const queue = [job('a', 900_000), job('b', 900_000), job('c', 10), job('b', 20)];
  const { jobs, left } = takeBatch(queue, () => true);
  expect(jobs).toEqual([queue[0], queue[2]]);
  expect(left).toEqual([queue[1], queue[3]]);
});
