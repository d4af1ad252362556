import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Hatchet, Or, RunFailedError, type Worker } from '../../sdk/index.ts';
import { spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const folder = makeTempFolder('sdk-durable');
const quick = { ttl: '20ms' } as const;

let engine: EngineChild;
let hatchet: Hatchet;
const workers: { worker: Worker; running: Promise<void> }[] = [];

beforeAll(async () => {
  engine = await spawnEngine({ dataDir: join(folder, 'data'), grpcPort: 0, httpPort: 0, logLevel: 'warn' });
  hatchet = Hatchet.init({ token: engine.ready.token, logger: () => quiet });
});

afterAll(async () => {
  await Promise.all(workers.map(async ({ worker, running }) => {
    await worker.stop();
    await running;
  }));
  hatchet.close();
  await engine.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

async function startWorker(...args: Parameters<Hatchet['worker']>): Promise<Worker> {
  const [name, options] = args;
  const worker = await hatchet.worker(name, { handleKill: false, ...(typeof options === 'object' ? options : {}) });
  workers.push({ worker, running: worker.start() });
  await worker.waitUntilReady();
  return worker;
}

interface Entry {
  nodeId: number;
  isSatisfied: boolean;
}

async function rest<Answer>(method: 'GET' | 'POST', path: string): Promise<Answer> {
  const { apiUrl, token } = hatchet.config;
  const response = await fetch(`${apiUrl}/api/v1/stable/${path}`, { method, headers: { authorization: `Bearer ${token}` } });
  const answer: Answer = JSON.parse(await response.text());
  return answer;
}

/** Resolves once the task's log has its n-th node, unsatisfied. */
async function waitsAt(taskId: string, node: number): Promise<void> {
  await vi.waitFor(async () => expect((await rest<Entry[]>('GET', `tenants/${hatchet.tenantId}/durable-tasks/${taskId}`)).find(({ nodeId }) => nodeId === node)).toMatchObject({ isSatisfied: false }), { timeout: 20_000, interval: 20 });
}

describe('durable tasks of the SDK', () => {
  it('sleep, wait for events, run children, and remember', async () => {
    const child = hatchet.task({ name: 'double', fn: (input: { n: number }) => ({ doubled: input.n * 2 }) });
    const broken = hatchet.task({ name: 'breaks', fn: (): void => { throw new Error('the child broke'); } });
    const lone = hatchet.workflow<{ n: number }, { only: { n: number } }>({ name: 'lone' });
    lone.task({ name: 'only', fn: (input) => ({ n: input.n + 1 }) });
    let memos = 0;
    const all = hatchet.durableTask({
      name: 'all-operations',
      fn: async (input: { id: number }, ctx) => {
        const before = await ctx.now();
        await ctx.sleepFor('50ms');
        await ctx.sleepUntil(new Date(before.getTime() + 100));
        const event = await ctx.waitForEvent('go', { expression: `input.id == ${input.id}`, schema: z.object({ id: z.number(), note: z.string() }) });
        const either = await ctx.waitFor(Or({ sleepFor: '10ms', readableDataKey: 'late' }, { eventKey: 'never' }));
        const one = await child.run({ n: 1 });
        const two = await ctx.runChild(child, { n: 2 });
        const many = await ctx.runChildren([{ workflow: child, input: { n: 3 } }, { workflow: child, input: { n: 4 } }]);
        const ref = await ctx.spawn(child, { n: 5 });
        const memo = await ctx.memo(['answer'], () => ({ memos: ++memos }));
        const official = await ctx.memo(async () => 42, ['official']);
        const five = await ref.output;
        const wrapped = await lone.run({ n: 6 });
        const failure = await broken.run({}).catch((error: unknown) => error);
        return { event, either, one, two, many, five, memo, official, wrapped, failed: failure instanceof RunFailedError && failure.message, took: (await ctx.now()).getTime() - before.getTime() >= 150, id: await ctx.uuid(), chance: await ctx.random(), invocation: ctx.invocationCount };
      },
    });
    await startWorker('operations', { workflows: [child, broken, lone, all] });
    const ref = await all.runNoWait({ id: 7 });
    await waitsAt(ref.workflowRunId, 4);
    await hatchet.events.push('go', { id: 6, note: 'no' });
    await hatchet.events.push('go', { id: 7, note: 'yes' });
    const output = await ref.output;
    expect(output).toMatchObject({ event: { id: 7, note: 'yes' }, either: { CREATE: { late: [{ sleep_duration: '10ms' }] } }, one: { doubled: 2 }, two: { doubled: 4 }, many: [{ doubled: 6 }, { doubled: 8 }], five: { doubled: 10 }, memo: { memos: 1 }, official: 42, wrapped: { only: { n: 7 } }, failed: 'the child broke', took: true, invocation: 1 });
    expect(output.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(output.chance >= 0 && output.chance < 1).toBe(true);
  });

  it('go on where they were after an eviction: memos once, the same draws, turns in the recorded order, finally once', async () => {
    let memos = 0;
    const starts: number[] = [];
    const finals: number[] = [];
    const draws: unknown[] = [];
    const child = hatchet.task({ name: 'order-child', fn: (input: { n: number }) => input });
    const task = hatchet.durableTask({
      name: 'evicted',
      evictionPolicy: quick,
      fn: async (_: object, ctx) => {
        starts.push(ctx.invocationCount);
        const order: number[] = [];
        draws.push([await ctx.uuid(), await ctx.random(), await ctx.random(), await ctx.now()]);
        const memo = await ctx.memo(['m'], () => ++memos);
        try {
          // They end in another order than they begin, and each asks for more in its turn.
          const branch = async (n: number): Promise<number> => {
            await ctx.sleepFor(`${(4 - n) * 200}ms`);
            order.push(n);
            return (await child.run({ n })).n;
          };
          const outputs = await Promise.all([0, 1, 2, 3].map(branch));
          const winner = await Promise.race([ctx.sleepFor('1h').then(() => 'hour'), ctx.sleepFor('300ms').then(() => 'short')]);
          return { order, outputs, memo, winner };
        } finally {
          finals.push(ctx.invocationCount);
        }
      },
    });
    await startWorker('evictions', { workflows: [task, child] });
    expect(await task.run({})).toEqual({ order: [3, 2, 1, 0], outputs: [0, 1, 2, 3], memo: 1, winner: 'short' });
    expect(memos).toBe(1);
    expect(starts.length).toBeGreaterThan(1);
    expect(finals).toEqual(starts.slice(-1));
    expect(new Set(draws.map((draw) => JSON.stringify(draw))).size).toBe(1);
  });
});
