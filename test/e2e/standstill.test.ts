import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';

/** Longer than a worker may be silent, than the lease of the shards, and than the tasks' execution timeout. */
const stopMs = 10_000;
const tasks = 20;

const fixture = engineProcessFixture('standstill', { workerTimeoutMs: 6_000 }, { postgres: 'shared' });

describe('an engine that is stopped and goes on', () => {
  it('starts nothing a second time, and takes the results of what ran meanwhile', async () => {
    const { engine, hatchet } = fixture;
    const begun: number[] = [];
    const task = hatchet.task({
      name: 'patient',
      executionTimeout: '5s',
      retries: 0,
      fn: async ({ n }: { n: number }) => {
        begun.push(n);
        // Half of them end while the engine stands still, and half after that.
        await delay(n % 2 === 0 ? 2_000 : stopMs + 2_500);
        return { n };
      },
    });
    await fixture.serve('patient', { workflows: [task], slots: tasks });
    const refs = await Promise.all(Array.from({ length: tasks }, (_, n) => task.runNoWait({ n })));
    await expect.poll(() => begun.length, { interval: 10 }).toBe(tasks);

    engine.child.kill('SIGSTOP');
    await delay(stopMs);
    engine.child.kill('SIGCONT');

    const results = await Promise.all(refs.map((ref) => ref.result()));
    expect(results).toEqual(refs.map((_, n) => ({ n })));
    expect(begun.toSorted((a, b) => a - b)).toEqual(Array.from({ length: tasks }, (_, n) => n));
    const events = await Promise.all(refs.map(async (ref) => (await hatchet.runs.get(await ref.runId)).taskEvents));
    const kinds = new Set<string>(events.flat().map(({ eventType }) => eventType));
    expect([...kinds].filter((kind) => ['REASSIGNED', 'TIMED_OUT', 'FAILED', 'CANCELLED'].includes(kind))).toEqual([]);
  });
});
