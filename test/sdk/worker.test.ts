import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { RunCancelledError, RunFailedError, SchemaError, type Hatchet } from '../../sdk/index.ts';
import { patient } from '../helpers/patient.ts';
import { gate } from '../helpers/gate.ts';
import { SdkBench } from '../helpers/sdk-target.ts';
import { quiet } from '../helpers/quiet-logger.ts';

let bench: SdkBench;
let hatchet: Hatchet;

beforeAll(async () => {
  bench = await SdkBench.start();
  ({ hatchet } = bench);
});

afterAll(async () => await bench.stop());

describe('a worker', () => {
  it('lets running tasks finish when it stops', async () => {
    const started = gate();
    const finish = gate();
    const task = hatchet.task({
      name: 'drains',
      fn: async () => {
        started.open();
        await finish.opened;
        return { done: true };
      },
    });
    const worker = await bench.serve([task]);
    const ref = await task.runNoWait({});
    await started.opened;
    const stopping = worker.stop();
    finish.open();
    await stopping;
    await expect(ref.result()).resolves.toEqual({ done: true });
  });

  it('can be started again once it was stopped, and while it stops', async () => {
    const task = hatchet.task({ name: 'comes-back', fn: () => ({ done: true }) });
    const durable = hatchet.durableTask({
      name: 'waits-for-it',
      fn: async (_input: object, ctx) =>
        await ctx.waitForEvent<{ n: number }>('comes-back:event', { scope: 'here', lookback: '1h' }),
    });
    const worker = await bench.serve([task, durable]);
    const waiting = durable.run({});
    const ids = [worker.workerId];
    for (const stops of [async () => await worker.stop(), async () => void worker.stop()]) {
      await stops();
      await bench.run(worker);
      ids.push(worker.workerId);
      await expect(task.run({})).resolves.toEqual({ done: true });
    }
    expect(new Set(ids).size).toBe(3);
    await hatchet.events.push('comes-back:event', { n: 1 }, { scope: 'here' });
    await expect(waiting).resolves.toEqual({ n: 1 });
  });

  it('is stopped once by two stops, runs once by two starts, and is not kept from starting by a stop before', async () => {
    const stopped: string[] = [];
    const client = bench.client({ logger: () => ({ ...quiet, info: (line) => void stopped.push(line) }) });
    const task = client.task({ name: 'twice', fn: () => ({ done: true }) });
    const worker = await client.worker('twice', { handleKill: false, workflows: [task] });
    await worker.stop();
    const running = Promise.all([worker.start(), worker.start()]);
    await worker.waitUntilReady(patient.timeout);
    const { workerId } = worker;
    await expect(task.run({})).resolves.toEqual({ done: true });
    await Promise.all([worker.stop(), worker.stop()]);
    await running;
    await worker.stop();
    expect(worker.workerId).toBe(workerId);
    expect(stopped.filter((line) => line === 'stopped')).toHaveLength(1);
  });

  it('can be started once it has something to run, though it was started without', async () => {
    const task = hatchet.task({ name: 'late-task', fn: () => ({ done: true }) });
    const worker = await hatchet.worker('late', { handleKill: false });
    await worker.start();
    await worker.registerWorkflow(task);
    await bench.run(worker);
    await expect(task.run({})).resolves.toEqual({ done: true });
  });

  it('waits for a stop no longer than its grace period, and aborts what is left', async () => {
    const started = gate();
    const aborted = gate();
    const task = hatchet.task({
      name: 'stays',
      fn: async (_input: object, ctx) => {
        ctx.abortController.signal.addEventListener('abort', () => aborted.open());
        started.open();
        await aborted.opened;
      },
    });
    const worker = await bench.serve([task], { shutdownGracePeriod: '200ms' });
    const ref = await task.runNoWait({});
    await started.opened;
    await worker.stop();
    await aborted.opened;
    await ref.cancel();
    await expect(ref.result()).rejects.toBeInstanceOf(RunCancelledError);
  });

  it('tells a cancelled task, and its run', async () => {
    const started = gate();
    const aborted = gate();
    const task = hatchet.task({
      name: 'cancelled',
      fn: async (_input: object, ctx) => {
        ctx.abortController.signal.addEventListener('abort', () => aborted.open());
        started.open();
        await aborted.opened;
        return { late: true };
      },
    });
    await bench.serve([task]);
    const ref = await task.runNoWait({});
    await started.opened;
    await ref.cancel();
    await aborted.opened;
    await expect(ref.result()).rejects.toMatchObject({
      code: 'RUN_CANCELLED',
      workflowRunId: ref.workflowRunId,
      tasks: ['cancelled'],
    });
    expect(await hatchet.runs.get_status(ref)).toBe('CANCELLED');
  });
});

describe('inputs and outputs', () => {
  it('are checked at the caller and at the worker', async () => {
    let calls = 0;
    const schema = z.object({ n: z.coerce.string(), list: z.array(z.object({ name: z.string() })).default([]) });
    const task = hatchet.task({
      name: 'checked',
      input: schema,
      retries: 3,
      fn: (input) => {
        calls += 1;
        return { n: input.n, list: input.list };
      },
    });
    await bench.serve([task]);
    await expect(task.run({ n: 5 })).resolves.toEqual({ n: '5', list: [] });

    const wrong: { n: number; list: { name: string }[] } = JSON.parse('{"n":1,"list":[{"name":7}]}');
    await expect(task.run(wrong)).rejects.toBeInstanceOf(SchemaError);
    await expect(hatchet.run('checked', wrong)).rejects.toMatchObject({
      code: 'RUN_FAILED',
      message: expect.stringContaining('the input of checked does not match its schema: list[0].name: '),
    });
    expect(calls).toBe(1);
  });

  it('outputs that do not match fail for good', async () => {
    let calls = 0;
    const task = hatchet.task({
      name: 'bad-output',
      retries: 3,
      output: z.object({ n: z.number().max(10) }),
      fn: () => {
        calls += 1;
        return { n: 11 };
      },
    });
    await bench.serve([task]);
    await expect(task.run({})).rejects.toMatchObject({
      message: expect.stringMatching(/^the output of bad-output does not match its schema: n: /),
    });
    expect(calls).toBe(1);
  });

  it('outputs of more than 3 MiB arrive, those of more than 4 MiB fail with the reason', async () => {
    const task = hatchet.task({ name: 'large', fn: ({ size }: { size: number }) => ({ text: 'x'.repeat(size) }) });
    await bench.serve([task]);
    const { text } = await task.run({ size: 3.5 * 1024 * 1024 });
    expect(text).toHaveLength(3.5 * 1024 * 1024);
    await expect(task.run({ size: 4 * 1024 * 1024 })).rejects.toMatchObject({
      message: expect.stringContaining('the limit is 4194304'),
    });
    await expect(hatchet.run('large', { text: 'x'.repeat(4 * 1024 * 1024) })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    });
  });
});

describe('runs', () => {
  it('fail with every task that failed', async () => {
    const flow = hatchet.workflow({ name: 'failing-flow' });
    flow.task({
      name: 'one',
      fn: () => {
        throw new Error('first');
      },
    });
    flow.task({ name: 'two', fn: () => {} });
    await bench.serve([flow]);
    const error: unknown = await flow.run({}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RunFailedError);
    expect(error).toMatchObject({
      message: 'first',
      errors: [{ taskName: 'one', message: 'first', stack: expect.stringContaining('Error: first') }],
    });
  });

  it('in bulk keep their order and their own options, in several calls', async () => {
    const task = hatchet.task({
      name: 'bulk',
      fn: (input: { n: number }, ctx) => ({ n: input.n, tag: ctx.additionalMetadata()['tag'] }),
    });
    await bench.serve([task]);
    const outputs = await task.runMany(
      Array.from({ length: 450 }, (_, n) => ({ input: { n }, opts: { additionalMetadata: { tag: `t${n}` } } })),
    );
    expect(outputs).toEqual(Array.from({ length: 450 }, (_, n) => ({ n, tag: `t${n}` })));
  });

  it('of a retried parent are the same children', async () => {
    const children: string[][] = [];
    const child = hatchet.task({ name: 'child', fn: (input: { n: number }) => ({ n: input.n }) });
    const parent = hatchet.task({
      name: 'retried-parent',
      retries: 1,
      fn: async (_input: object, ctx) => {
        const refs = [
          await child.runNoWait({ n: 1 }),
          ...(await child.runNoWait([{ n: 2 }, { n: 3 }])),
          await ctx.runNoWaitChild(child, { n: 4 }, { key: 'four' }),
        ];
        children.push(refs.map((ref) => ref.workflowRunId));
        if (ctx.retryCount() === 0) throw new Error('again');
        return { sum: (await Promise.all(refs.map((ref) => ref.result()))).reduce((sum, { n }) => sum + n, 0) };
      },
    });
    await bench.serve([child, parent]);
    await expect(parent.run({})).resolves.toEqual({ sum: 10 });
    expect(children[1]).toEqual(children[0]);
    expect(new Set(children[0]).size).toBe(4);
  });

  it('of unknown workflows, and with a bad token, say what is wrong', async () => {
    await expect(hatchet.run('nobody-knows-this', {})).rejects.toMatchObject({ code: 'UNKNOWN_WORKFLOW' });
    const stranger = bench.client({ token: `${hatchet.config.token.slice(0, -6)}AAAAAA` });
    await expect(stranger.run('any', {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(
      stranger.worker('w', { workflows: [stranger.task({ name: 'x', fn: () => {} })] }),
    ).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
