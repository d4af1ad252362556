import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  NonDeterminismError,
  Or,
  RunCancelledError,
  RunFailedError,
  type Duration,
  type Hatchet,
} from '../../sdk/index.ts';
import { patient } from '../helpers/patient.ts';
import { isCluster, SdkBench } from '../helpers/sdk-target.ts';
import { differs } from './differences.ts';

const quick = { ttl: '20ms' } as const;

let bench: SdkBench;
let hatchet: Hatchet;

beforeAll(async () => {
  bench = await SdkBench.start();
  ({ hatchet } = bench);
});

afterAll(async () => await bench.stop());

describe('durable tasks of the SDK', () => {
  it('continue as new: with another input and an empty log, and their run ends with what the last start gives', async () => {
    const starts: { round: number; seen: number; memo: number }[] = [];
    const child = hatchet.task({ name: 'of-a-round', fn: (input: { round: number }) => ({ of: input.round }) });
    const rounds = hatchet.durableTask({
      name: 'rounds',
      retries: 2,
      evictionPolicy: quick,
      fn: async (input: { round: number; seen: number }, ctx): Promise<{ rounds: number; seen: number }> => {
        const memo = await ctx.memo(['round'], () => input.round);
        starts.push({ ...input, memo });
        const { of } = await child.run({ round: input.round });
        await ctx.sleepFor('30ms');
        if (input.round === 3) return { rounds: 3, seen: input.seen + of };
        return await ctx.continueAsNew({ round: input.round + 1, seen: input.seen + of });
      },
    });
    await bench.serve([child, rounds]);
    expect(await rounds.run({ round: 1, seen: 0 })).toEqual({ rounds: 3, seen: 6 });
    expect(starts.every(({ round, memo }) => memo === round)).toBe(true);
    expect([...new Set(starts.map(({ round }) => round))]).toEqual([1, 2, 3]);
  });

  it('continue as new beside other tasks of their workflow', async () => {
    const inputs: number[] = [];
    const pair = hatchet.workflow<{ n: number }, { first: { n: number }; second: { n: number } }>({ name: 'pair' });
    const first = pair.task({ name: 'first', fn: (input) => ({ n: input.n }) });
    pair.durableTask({
      name: 'second',
      parents: [first],
      fn: async (input, ctx): Promise<{ n: number }> => {
        inputs.push(input.n);
        const parent = await ctx.parentOutput(first);
        return input.n < 3 ? await ctx.continueAsNew({ n: input.n + 1 }) : { n: input.n * 10 + parent.n };
      },
    });
    await bench.serve([pair]);
    const output = pair.run({ n: 1 });
    if (differs('continuing one of several')) {
      await expect(output).rejects.toThrow(/only task of its workflow/);
      expect(inputs).toEqual([1]);
    } else {
      expect(await output).toEqual({ first: { n: 1 }, second: { n: 31 } });
      expect(inputs).toEqual([1, 2, 3]);
    }
  });

  it('sleep, wait for events, run children, and remember', async () => {
    const child = hatchet.task({ name: 'double', fn: (input: { n: number }) => ({ doubled: input.n * 2 }) });
    const broken = hatchet.task({
      name: 'breaks',
      fn: (): void => {
        throw new Error('the child broke');
      },
    });
    const lone = hatchet.workflow<{ n: number }, { only: { n: number } }>({ name: 'lone' });
    lone.task({ name: 'only', fn: (input) => ({ n: input.n + 1 }) });
    let memos = 0;
    const all = hatchet.durableTask({
      name: 'all-operations',
      fn: async (input: { id: number }, ctx) => {
        const before = await ctx.now();
        await ctx.sleepFor('50ms');
        await ctx.sleepUntil(new Date(before.getTime() + 100));
        const { durationMs } = await ctx.sleepUntil(before);
        const event = await ctx.waitForEvent('go', {
          expression: `input.id == ${input.id}`,
          schema: z.object({ id: z.number(), note: z.string() }),
        });
        const either = await ctx.waitFor(Or({ sleepFor: '10ms', readableDataKey: 'late' }, { eventKey: 'never' }));
        const one = await child.run({ n: 1 });
        const two = await ctx.runChild(child, { n: 2 });
        const many = await ctx.runChildren([
          { workflow: child, input: { n: 3 } },
          { workflow: child, input: { n: 4 } },
        ]);
        const ref = await ctx.spawn(child, { n: 5 });
        const memo = await ctx.memo(['answer'], () => ({ memos: ++memos }));
        const official = await ctx.memo(async () => 42, ['official']);
        const five = await ref.output;
        const wrapped = await lone.run({ n: 6 });
        const failure = await broken.run({}).catch((error: unknown) => error);
        return {
          durationMs,
          event,
          either,
          one,
          two,
          many,
          five,
          memo,
          official,
          wrapped,
          failed: failure instanceof RunFailedError && failure.message,
          id: await ctx.uuid(),
          chance: await ctx.random(),
          invocation: ctx.invocationCount,
        };
      },
    });
    await bench.serve([child, broken, lone, all]);
    const ref = await all.runNoWait({ id: 7 });
    await bench.waitsAt(ref.workflowRunId, 7);
    await hatchet.events.push('go', { id: 6, note: 'no' });
    await hatchet.events.push('go', { id: 7, note: 'yes' });
    const output = await ref.output;
    expect(output).toMatchObject({
      durationMs: 0,
      event: { id: 7, note: 'yes' },
      either: { CREATE: { late: [{ sleep_duration: '10ms' }] } },
      one: { doubled: 2 },
      two: { doubled: 4 },
      many: [{ doubled: 6 }, { doubled: 8 }],
      five: { doubled: 10 },
      memo: { memos: 1 },
      official: 42,
      wrapped: { only: { n: 7 } },
      failed: 'the child broke',
      invocation: 1,
    });
    expect(output.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(output.chance >= 0 && output.chance < 1).toBe(true);
  });

  it("get of children by name what their logs have, which other tasks get by the tasks' names", async () => {
    const one = hatchet.task({ name: 'named-one', fn: () => ({ n: 1 }) });
    const two = hatchet.workflow<object, { a: { n: number }; b: { n: number } }>({ name: 'named-two' });
    for (const name of ['a', 'b'] as const) two.task({ name, fn: () => ({ n: 2 }) });
    const byName = hatchet.task({
      name: 'by-name',
      fn: async (_input: object, ctx) => [await ctx.runChild('named-one', {}), await ctx.runChild('named-two', {})],
    });
    const durably = hatchet.durableTask({
      name: 'by-name-durably',
      fn: async (_input: object, ctx) => [
        await ctx.runChild('named-one', {}),
        await hatchet.run('named-one', {}),
        ...(await ctx.runChildren([{ workflow: 'named-two', input: {} }])),
      ],
    });
    await bench.serve([one, two, byName, durably]);
    const ofTwo = { a: { n: 2 }, b: { n: 2 } };
    expect(await byName.run({})).toEqual([{ 'named-one': { n: 1 } }, ofTwo]);
    expect(await durably.run({})).toEqual([{ n: 1 }, { n: 1 }, ofTwo]);
    expect(await hatchet.run('named-one', {})).toEqual({ 'named-one': { n: 1 } });
  });

  it('wait for an event no longer than they want to', async () => {
    const patient = hatchet.durableTask({
      name: 'patient',
      fn: async ({ id, timeout }: { id: number; timeout: Duration }, ctx) => {
        const event = await ctx.waitForEvent<{ by: string }>('decided', { expression: `input.id == ${id}`, timeout });
        return { by: event?.by ?? null };
      },
    });
    await bench.serve([patient]);
    const [late, heard] = await Promise.all([
      patient.runNoWait({ id: 1, timeout: '20ms' }),
      patient.runNoWait({ id: 2, timeout: '1h' }),
    ]);
    await bench.waitsAt(heard.workflowRunId, 1);
    await hatchet.events.push('decided', { id: 2, by: 'Ada' });
    expect(await Promise.all([late.output, heard.output])).toEqual([{ by: null }, { by: 'Ada' }]);
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
          const winner = await Promise.race([
            ctx.sleepFor('1h').then(() => 'hour'),
            ctx.sleepFor('300ms').then(() => 'short'),
          ]);
          return { order, outputs, memo, winner };
        } finally {
          finals.push(ctx.invocationCount);
        }
      },
    });
    await bench.serve([task, child]);
    const { order, ...ended } = await task.run({});
    expect(ended).toEqual({ outputs: [0, 1, 2, 3], memo: 1, winner: 'short' });
    expect(differs('turns of sleeps') ? order.toSorted((a, b) => b - a) : order).toEqual([3, 2, 1, 0]);
    expect(memos).toBe(1);
    expect(starts.length).toBeGreaterThan(1);
    expect(finals).toEqual(starts.slice(-1));
    expect(new Set(draws.map((draw) => JSON.stringify(draw))).size).toBe(1);
  });

  it('answer patched by what the log can hold, and go on once the code does not ask any more', async () => {
    let code: 'old' | 'new' | 'done' = 'old';
    const task = hatchet.durableTask({
      name: 'patching',
      evictionPolicy: quick,
      fn: async (input: { id: number }, ctx) => {
        const first = await ctx.memo(['first'], () => 1);
        const before = code === 'done' || (code === 'new' && (await ctx.patched('before')));
        const added = before ? await ctx.memo(['added'], () => 2) : 0;
        const { by } = await ctx.waitForEvent<{ by: string }>('patch-go', { expression: `input.id == ${input.id}` });
        const after = code === 'new' && (await ctx.patched('after')) && (await ctx.patched('after'));
        await ctx.sleepFor('100ms');
        return { first, before, added, by, after, invocation: ctx.invocationCount > 1 };
      },
    });
    await bench.serve([task]);
    const old = await task.runNoWait({ id: 1 });
    await bench.waitsAt(old.workflowRunId, 2);
    await bench.isEvicted(old.workflowRunId);
    code = 'new';
    const fresh = await task.runNoWait({ id: 2 });
    const later = await task.runNoWait({ id: 3 });
    for (const ref of [fresh, later]) {
      await bench.waitsAt(ref.workflowRunId, 4);
      await bench.isEvicted(ref.workflowRunId);
    }
    for (const id of [1, 2]) await hatchet.events.push('patch-go', { id, by: 'new' });
    expect(await old.output).toEqual({ first: 1, before: false, added: 0, by: 'new', after: true, invocation: true });
    expect(await fresh.output).toEqual({ first: 1, before: true, added: 2, by: 'new', after: true, invocation: true });
    const isDropped = !differs('dropped patches');
    if (isDropped) code = 'done';
    await hatchet.events.push('patch-go', { id: 3, by: 'done' });
    expect(await later.output).toEqual({
      first: 1,
      before: true,
      added: 2,
      by: 'done',
      after: !isDropped,
      invocation: true,
    });
  });

  it('fail for good where the code asks for something else than the log says', async () => {
    const seen: unknown[] = [];
    const task = hatchet.durableTask({
      name: 'strays',
      retries: 3,
      evictionPolicy: quick,
      fn: async (_: object, ctx) => {
        try {
          await ctx.sleepFor(`${200 + ctx.invocationCount}ms`);
        } catch (error) {
          seen.push(error);
          throw error;
        }
      },
    });
    await bench.serve([task]);
    const ref = await task.runNoWait({});
    await expect(ref.output).rejects.toThrow(
      differs('words of a mismatch') ? /node 1/ : /node 1 .*sleep 201ms.*sleep 202ms/,
    );
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeInstanceOf(NonDeterminismError);
    expect(seen[0]).toMatchObject({ taskExternalId: ref.workflowRunId, invocationCount: 2, nodeId: 1 });
  });

  it('fail with the mismatch whatever their code makes of it: nothing, another error, or a wait for something else', async () => {
    const starts = new Map<string, number>();
    const seen: unknown[] = [];
    const task = hatchet.durableTask({
      name: 'swallows',
      retries: 3,
      executionTimeout: '10m',
      evictionPolicy: quick,
      fn: async ({ way }: { way: string }, ctx) => {
        starts.set(way, (starts.get(way) ?? 0) + 1);
        const long = ctx.sleepFor('1h');
        try {
          await ctx.sleepFor(`${200 + ctx.invocationCount}ms`);
        } catch (error) {
          if (way === 'wraps') throw new Error('the payment failed', { cause: error });
          if (way === 'goes on')
            for (const again of [() => ctx.memo(['after'], () => 1), () => ctx.now(), () => task.run({ way: 'child' })])
              await again().catch((other: unknown) => seen.push(other === error));
          if (way === 'waits') await long;
        }
        return { fine: true };
      },
    });
    await bench.serve([task]);
    const ways = ['returns', 'wraps', 'goes on', 'waits'];
    const refs = await Promise.all(ways.map(async (way) => await task.runNoWait({ way })));
    for (const { output } of refs)
      await expect(output).rejects.toThrow(
        differs('words of a mismatch') ? /node 2/ : /node 2 .*sleep 201ms.*sleep 202ms/,
      );
    expect(seen).toEqual([true, true, true]);
    expect(Object.fromEntries(starts)).toEqual(Object.fromEntries(ways.map((way) => [way, 2])));
  });

  it('leave in time: for others that need their slots, and before their execution timeout', async () => {
    const started = new Set<number>();
    const crowd = hatchet.durableTask({
      name: 'crowd',
      fn: async (input: { n: number }, ctx) => {
        started.add(input.n);
        await ctx.waitForEvent('crowd-go');
        return { n: input.n };
      },
    });
    const long = hatchet.durableTask({
      name: 'long',
      executionTimeout: '1s',
      fn: async (_: object, ctx) => {
        await ctx.sleepFor('1500ms');
        return { invocation: ctx.invocationCount };
      },
    });
    await bench.serve([crowd], { durableSlots: 2 });
    await bench.serve([long]);
    const slept = long.run({});
    const refs = await crowd.runNoWait(Array.from({ length: 8 }, (_, n) => ({ n })));
    await Promise.all(refs.map(({ workflowRunId }) => bench.waitsAt(workflowRunId, 1)));
    expect(started.size).toBe(8);
    await hatchet.events.push('crowd-go', {});
    expect((await Promise.all(refs.map(({ output }) => output))).map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect((await slept).invocation).toBeGreaterThan(1);
  });

  it('leave in time where their run began with a shorter execution timeout than their worker has now', async () => {
    const versionOf = (executionTimeout: Duration) =>
      hatchet.durableTask({
        name: 'prolonged',
        executionTimeout,
        fn: async (_: object, ctx) => {
          await ctx.sleepFor('3s');
          return { invocation: ctx.invocationCount };
        },
      });
    await hatchet.worker('registers', { workflows: [versionOf('2s')] });
    const ref = await hatchet.runNoWait('prolonged', {});
    await bench.serve([versionOf('1h')]);
    expect(await ref.output).toEqual({ prolonged: { invocation: 2 } });
  });

  it('end as cancelled, with finally, while they wait', async () => {
    const finals: boolean[] = [];
    const task = hatchet.durableTask({
      name: 'cancelled',
      fn: async (_: object, ctx) => {
        try {
          await ctx.sleepFor('1h');
        } finally {
          finals.push(ctx.cancelled);
        }
      },
    });
    await bench.serve([task]);
    const ref = await task.runNoWait({});
    await bench.waitsAt(ref.workflowRunId, 1);
    await ref.cancel();
    await expect(ref.output).rejects.toBeInstanceOf(RunCancelledError);
    await vi.waitFor(() => expect(finals).toEqual([true]), patient);
  });

  it('leave a worker that stops, and go on where another starts', async () => {
    const task = hatchet.durableTask({
      name: 'moving',
      executionTimeout: '10m',
      fn: async (_: object, ctx) => ({ event: await ctx.waitForEvent('move-go'), invocation: ctx.invocationCount }),
    });
    const first = await bench.serve([task]);
    const ref = await task.runNoWait({});
    await bench.waitsAt(ref.workflowRunId, 1);
    await first.stop();
    await bench.isEvicted(ref.workflowRunId);
    await bench.serve([task]);
    await hatchet.events.push('move-go', { n: 1 });
    // Until a cluster has heard of the pause, it gives the task to the worker that stops.
    const { event, invocation } = await ref.output;
    expect([event, isCluster ? invocation > 1 : invocation === 2]).toEqual([{ n: 1 }, true]);
  });
});
