import { describe, expect, it } from 'vitest';
import { HatchetError, IdempotencyCollisionError, Or, type DurableContext } from '../../sdk/index.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { patient } from '../helpers/patient.ts';

const fixture = engineFixture('durable-errors', { logLevel: 'error' });
let tasks = 0;

/** What the code gives as a durable task. */
async function durably<Output extends object>(
  fn: (ctx: DurableContext) => Promise<Output>,
  options: { ttl?: '10ms' } = {},
): Promise<Output> {
  const task = fixture.hatchet.durableTask({
    name: `durable-${++tasks}`,
    evictionPolicy: options,
    fn: async (_: object, ctx): Promise<object> => await fn(ctx),
  });
  await fixture.serve('test', { workflows: [task] });
  const output: Output = JSON.parse(JSON.stringify(await task.run({})));
  return output;
}

/** Values, and the codes and messages of errors. */
async function settled(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  return (await Promise.allSettled(promises)).map((each) =>
    each.status === 'fulfilled' ? each.value : said(each.reason),
  );
}

function said(error: unknown): string {
  return error instanceof HatchetError ? `${error.code}: ${error.message}` : String(error);
}

describe('durable operations that are refused', () => {
  it('fail alone: those that were asked for together with them go on', async () => {
    const twice = fixture.hatchet.task({ name: 'twice', fn: ({ n }: { n: number }) => ({ n: 2 * n }) });
    await fixture.serve('test', { workflows: [twice] });
    const { ends } = await durably(async (ctx) => ({
      ends: await settled([
        ctx.sleepFor('30ms'),
        ctx.runChild('nobody', {}),
        twice.run({ n: 1 }),
        ctx.waitForEvent('never', { expression: 'input.(' }),
        ctx.waitForEvent('late', { timeout: '20ms' }),
        ctx.runChild('nobody else', {}),
        twice.run({ n: 2 }),
      ]),
    }));
    expect(ends).toEqual([
      { durationMs: 30 },
      expect.stringMatching(/^UNKNOWN_WORKFLOW: .*there is no workflow "nobody"\. Start a worker that registers it/),
      { n: 2 },
      expect.stringMatching(/^INVALID_ARGUMENT: .*CEL expression "input\.\(" is not valid/),
      null,
      expect.stringMatching(/^UNKNOWN_WORKFLOW: .*there is no workflow "nobody else"/),
      { n: 4 },
    ]);
  });

  it('say what is wrong with them to callers without types', async () => {
    const { ends } = await durably(async (ctx) => {
      const untyped: Parameters<typeof ctx.waitFor>[0][] = JSON.parse('[[[{"sleepFor":1}]],{},{"sleepFor":null}]');
      const deps: string[] = JSON.parse('null');
      const date: Date = JSON.parse(JSON.stringify(await ctx.memo(['date'], () => new Date(0))));
      return {
        ends: await settled([
          ...untyped.map((each) => ctx.waitFor(each)),
          ctx.waitFor([Or(), { sleepFor: 1 }]),
          ctx.memo(deps, () => 1),
          ctx.sleepUntil(date),
          ctx.sleepUntil(new Date('soon')),
          ctx.sleepFor(1),
        ]),
      };
    });
    expect(ends).toEqual([
      expect.stringContaining('INVALID_ARGUMENT: a list stands where a single condition is needed'),
      expect.stringContaining('INVALID_ARGUMENT: {} stands where a single condition is needed'),
      expect.stringContaining('INVALID_DURATION: null is not a duration'),
      expect.stringContaining('INVALID_ARGUMENT: an Or without conditions can never be met'),
      expect.stringContaining('INVALID_ARGUMENT: memo takes a list of dependencies and a function'),
      expect.stringContaining('INVALID_ARGUMENT: sleepUntil takes a Date, and was given 1970-01-01T00:00:00.000Z'),
      expect.stringContaining('INVALID_ARGUMENT: the time of sleepUntil is not a valid date'),
      { durationMs: 1 },
    ]);
  });

  it('say which run holds the idempotency key of a child', async () => {
    const once = fixture.hatchet.task({
      name: 'once',
      idempotency: { expression: 'input.key', strategy: 'ttl', ttlMs: 3_600_000 },
      fn: ({ key }: { key: string }) => ({ key }),
    });
    await fixture.serve('test', { workflows: [once] });
    const { first, second, third } = await durably(async (ctx) => {
      const ref = await ctx.spawn(once, { key: 'a' });
      await ref.output;
      const holder = await once
        .run({ key: 'a' })
        .catch((error: unknown) =>
          error instanceof IdempotencyCollisionError ? error.existingRunExternalId : said(error),
        );
      return { first: ref.workflowRunId, second: holder, third: await once.run({ key: 'b' }) };
    });
    expect(second).toBe(first);
    expect(third).toEqual({ key: 'b' });
  });
});

describe('a durable task that has left its worker', () => {
  it('is not told so by what it asks for next: no catch and no finally runs there', async () => {
    const { hatchet } = fixture;
    const kid = hatchet.task({ name: 'kid', fn: () => ({}) });
    const said: string[] = [];
    const wandering = hatchet.durableTask({
      name: 'wandering',
      evictionPolicy: { ttl: '10ms' },
      fn: async (_: object, ctx) => {
        const { invocationCount, abortController } = ctx;
        const decided = ctx.waitForEvent('decided');
        try {
          // Not seen by the worker: the task leaves in the middle of it.
          if (invocationCount === 1)
            await new Promise((resolve) => abortController.signal.addEventListener('abort', resolve));
          said.push(`asks ${invocationCount}`);
          await kid.run({});
          await decided;
          return { invocationCount };
        } finally {
          said.push(`finally ${invocationCount}`);
        }
      },
    });
    await fixture.serve('test', { workflows: [kid, wandering] });
    const ref = await wandering.runNoWait({});
    await expect.poll(() => said, patient).toEqual(['asks 1']);
    await hatchet.events.push('decided', {});
    expect(await ref.output).toEqual({ invocationCount: expect.any(Number) });
    expect(said.filter((each) => each.endsWith(' 1'))).toEqual(['asks 1']);
    expect(said.filter((each) => each.startsWith('finally'))).toHaveLength(1);
  });
});

describe('a worker that can wait no longer', () => {
  it('gives a durable task whose memo still runs to another one at once, and nothing of it settles', async () => {
    const { hatchet } = fixture;
    const said: string[] = [];
    const slow = hatchet.durableTask({
      name: 'slow-memo',
      fn: async (_: object, ctx) => {
        try {
          said.push(`starts ${ctx.invocationCount}`);
          return {
            memo: await ctx.memo(
              ['slow'],
              async () =>
                await new Promise<number>((resolve) =>
                  ctx.invocationCount === 1 ? undefined : resolve(ctx.invocationCount),
                ),
            ),
          };
        } finally {
          said.push(`finally ${ctx.invocationCount}`);
        }
      },
    });
    const first = await fixture.serve('test', { workflows: [slow], shutdownGracePeriod: '50ms' });
    const ref = await slow.runNoWait({});
    await expect.poll(() => said, patient).toEqual(['starts 1']);
    await first.stop();
    await fixture.serve('test', { workflows: [slow] });
    // A worker that is only gone is waited for: 30 seconds.
    expect(await ref.output).toEqual({ memo: 2 });
    expect(said).toEqual(['starts 1', 'starts 2', 'finally 2']);
  }, 20_000);
});

describe('contexts of tasks that share a queue', () => {
  it('ask for their own task, in whosever asynchronous context their jobs run', async () => {
    const { hatchet } = fixture;
    const jobs: (() => Promise<void>)[] = [];
    let running = false;
    /** The next job begins where the one before it ended. */
    const drain = async (): Promise<void> => {
      const job = running ? undefined : jobs.shift();
      if (job === undefined) return;
      running = true;
      await job();
      running = false;
      void drain();
    };
    const queued = async <Result>(job: () => Promise<Result>): Promise<Result> =>
      await new Promise((resolve, reject) => {
        jobs.push(async () => await job().then(resolve, reject));
        void drain();
      });
    const echo = hatchet.task({ name: 'echo', fn: ({ n }: { n: number }) => ({ n }) });
    const plain = hatchet.task({
      name: 'queueing',
      fn: async ({ n }: { n: number }, ctx) => ({
        n,
        own:
          (await queued(async () => await ctx.runNoWaitChild(echo, { n }))).parentWorkflowRunId === ctx.workflowRunId(),
      }),
    });
    const durable = hatchet.durableTask({
      name: 'queueing-durably',
      fn: async ({ n }: { n: number }, ctx) => ({
        memo: await queued(
          async () =>
            await ctx.memo(['slow'], async () => await new Promise<number>((resolve) => setTimeout(resolve, 20, n))),
        ),
        child: await queued(async () => await ctx.runChild(echo, { n })),
        draws: new Set([await queued(async () => await ctx.uuid()), await ctx.uuid()]).size,
      }),
    });
    await fixture.serve('test', { workflows: [echo, plain, durable] });
    expect(await plain.run([{ n: 1 }, { n: 2 }, { n: 3 }])).toEqual([1, 2, 3].map((n) => ({ n, own: true })));
    expect(await durable.run([{ n: 1 }, { n: 2 }, { n: 3 }])).toEqual(
      [1, 2, 3].map((n) => ({ memo: n, child: { n }, draws: 2 })),
    );
  }, 40_000);
});
