import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkflowServiceService } from '../../proto/gen/hatchet/contract/workflows.ts';
import type { Hatchet } from '../../sdk/index.ts';
import { gate } from '../helpers/gate.ts';
import { SdkBench, target } from '../helpers/sdk-target.ts';
import { HoldingProxy } from '../helpers/holding-proxy.ts';
import { differs } from './differences.ts';

let bench: SdkBench;
let hatchet: Hatchet;

beforeAll(async () => {
  bench = await SdkBench.start();
  ({ hatchet } = bench);
});

afterAll(() => bench.stop());

/** The inputs of the runs of a workflow that were started. */
async function started(name: string): Promise<unknown[]> {
  const { rows } = await hatchet.runs.list({ workflowNames: [name], onlyTasks: true });
  return rows.map(({ input }) => input);
}

// A real cluster cannot be made to lose an answer.
describe.runIf(target !== 'cluster')('a trigger whose answer is lost on its way', () => {
  it('starts one run: known again by its id here, not made again on a cluster', async () => {
    const task = hatchet.task({ name: 'lost', fn: (input: { n: number }) => input });
    await bench.serve([task]);
    await task.run({ n: 0 });
    if (bench.double === undefined) {
      const proxy = await HoldingProxy.start(Number(hatchet.config.hostPort.split(':').at(-1)));
      const client = bench.client({ hostPort: `127.0.0.1:${proxy.port}` });
      await client.run('lost', { n: 1 }); // connects
      proxy.hold();
      const lost = client.runNoWait('lost', { n: 2 });
      await expect.poll(() => started('lost')).toHaveLength(3);
      proxy.drop();
      const ref = await lost;
      expect(await ref.result()).toMatchObject({ lost: { n: 2 } });
      client.close();
      await proxy.stop();
    } else {
      await task.run({ n: 1 });
      bench.double.state.swallowAnswers(WorkflowServiceService.triggerWorkflow.path, 1);
      await expect(task.runNoWait({ n: 2 })).rejects.toMatchObject({ code: 'NO_ANSWER' });
      bench.double.state.swallowAnswers(WorkflowServiceService.bulkTriggerWorkflow.path, 1);
      await expect(task.runNoWait([{ n: 3 }, { n: 4 }])).rejects.toMatchObject({ code: 'NO_ANSWER' });
    }
    const inputs = (): Promise<number[]> =>
      started('lost').then((rows) =>
        rows.map((input) => Number(Reflect.get(Object(input), 'n'))).sort((one, other) => one - other),
      );
    await expect.poll(inputs).toEqual(differs('lost triggers') ? [0, 1, 2, 3, 4] : [0, 1, 2]);
  });
});

describe('what is not there ends, and does not hang', () => {
  it('a run, and a durable child, of a workflow that nobody knows', async () => {
    await expect(hatchet.run('nobody-knows-it', {})).rejects.toMatchObject({ code: 'UNKNOWN_WORKFLOW' });
    await expect(hatchet.runNoWait('nobody-knows-it', {})).rejects.toMatchObject({ code: 'UNKNOWN_WORKFLOW' });
    const parent = hatchet.durableTask({
      name: 'with-unknown-child',
      fn: async (_: object, ctx) => ({
        code: await ctx
          .runChild('nobody-knows-it', {})
          .catch((error: unknown) => String(Reflect.get(Object(error), 'code'))),
      }),
    });
    await bench.serve([parent]);
    expect(await parent.run({})).toEqual({ code: 'UNKNOWN_WORKFLOW' });
  });

  it('the result of a run that there is not, and a durable child whose idempotency key another run holds', async () => {
    const nothing = expect(hatchet.runs.runRef('11111111-2222-4333-8444-555555555555').result()).rejects.toMatchObject({
      code: 'UNKNOWN_RUN',
    });
    const finish = gate();
    const holder = hatchet.task({
      name: 'holds-a-key',
      idempotency: { expression: 'input.id', strategy: 'ttl', ttlMs: 3_600_000 },
      fn: async (input: { id: string }) => {
        await finish.opened;
        return { id: input.id };
      },
    });
    const parent = hatchet.durableTask({
      name: 'wants-the-key',
      executionTimeout: '5m',
      fn: async (input: { id: string }, ctx) => ({
        code: await ctx.runChild(holder, input).catch((error: unknown) => String(Reflect.get(Object(error), 'code'))),
      }),
    });
    await bench.serve([holder, parent]);
    const id = bench.named('held');
    const held = await holder.runNoWait({ id });
    expect(await parent.run({ id })).toEqual({
      code: differs('held keys of children') ? 'UNKNOWN_RUN' : 'IDEMPOTENCY_COLLISION',
    });
    finish.open();
    expect(await held.result()).toEqual({ id });
    await nothing;
  });

  it('a rate limit that nobody has put is named at once, where the engine wants it first', async () => {
    const key = bench.named('unput');
    const task = hatchet.task({ name: 'unput', rateLimits: [{ staticKey: key, units: 1 }], fn: () => ({}) });
    const worker = hatchet.worker('unput', { workflows: [task] });
    if (differs('limits put first'))
      await expect(worker).rejects.toMatchObject({ code: 'INVALID_DEFINITION', message: expect.stringContaining(key) });
    else await worker;
  });

  it('what a cluster would leave out of a limit in silence is refused there by name', async () => {
    const odd = [
      { option: 'concurrency.maxRuns', concurrency: { expression: 'input.key', maxRuns: 'input.most' } },
      {
        option: 'concurrency.isTenantScoped',
        concurrency: { expression: 'input.key', maxRuns: 1, name: 'shared', isTenantScoped: true },
      },
      {
        option: 'CANCEL_QUEUED_EXCEPT_NEWEST',
        concurrency: { expression: 'input.key', maxRuns: 1, limitStrategy: 'CANCEL_QUEUED_EXCEPT_NEWEST' as const },
      },
    ];
    for (const [n, { option, concurrency }] of odd.entries()) {
      const task = hatchet.task({ name: `odd-${n}`, concurrency, fn: () => ({}) });
      const worker = hatchet.worker('odd', { workflows: [task] });
      if (differs('limits of keys'))
        await expect(worker).rejects.toMatchObject({ code: 'NOT_SUPPORTED', message: expect.stringContaining(option) });
      else await worker;
    }
  });
});
