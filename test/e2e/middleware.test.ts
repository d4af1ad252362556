import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HatchetError, RunFailedError, type TaskMiddleware } from '../../sdk/index.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('middleware', { logLevel: 'error' });

async function failure(run: Promise<unknown>): Promise<unknown> {
  return await run.then(
    () => 'no failure',
    (error: unknown) => (error instanceof RunFailedError ? error.message : error),
  );
}

describe('middleware', () => {
  it('adds to inputs and outputs, in order, of all tasks that its client declares', async () => {
    const order: string[] = [];
    const outer = fixture.hatchet.withMiddleware({
      before: [
        (input: { n: number }) => ({ double: 2 * input.n }),
        (input, ctx) => ({ seen: Object.keys(input).length, by: ctx.taskName() }),
      ],
      after: (output) => {
        order.push('outer');
        return { ...output, outer: true };
      },
    });
    const inner = outer.withMiddleware({
      before: () => undefined,
      after: (_output, _ctx, input: { by?: string }) => {
        order.push('inner');
        return { inner: input.by ?? '' };
      },
    });
    const task = inner.task<{ n: number }, { sum: number; context: number }>({
      name: 'added',
      fn: (input, ctx) => ({ sum: input.n + input.double + input.seen, context: ctx.input.double }),
    });
    const plain = fixture.hatchet.task({ name: 'plain', fn: (input: { n: number }) => ({ keys: Object.keys(input) }) });
    const flow = inner.workflow<{ n: number }>({ name: 'flow' });
    const first = flow
      .withMiddleware({ before: () => ({ own: 'first' }) })
      .task({ name: 'first', fn: (input) => ({ own: input.own, double: input.double }) });
    flow.task({
      name: 'second',
      parents: [first],
      fn: async (input, ctx) => ({ keys: Object.keys(input).toSorted(), parent: await ctx.parentOutput(first) }),
    });
    const batch = inner.batchTask<{ n: number }, { double: number }>({
      name: 'batch',
      batch: { maxSize: 2, maxInterval: '50ms' },
      fn: (inputs) => Object.fromEntries(Object.entries(inputs).map(([id, input]) => [id, { double: input.double }])),
    });
    await fixture.serve('test', { workflows: [task, plain, flow, batch] });
    expect(await task.run({ n: 2 })).toEqual({ sum: 8, context: 4, outer: true, inner: 'added' });
    expect(order).toEqual(['outer', 'inner']);
    expect(await plain.run({ n: 1 })).toEqual({ keys: ['n'] });
    const parent = { own: 'first', double: 6, outer: true, inner: 'first' };
    expect(await flow.run({ n: 3 })).toEqual({
      first: parent,
      second: { keys: ['by', 'double', 'n', 'seen'], parent, outer: true, inner: 'second' },
    });
    expect(await batch.run([{ n: 1 }, { n: 2 }])).toEqual([
      { double: 2, outer: true, inner: 'batch' },
      { double: 4, outer: true, inner: 'batch' },
    ]);
  });

  it('comes between schemas: after that of the input, before that of the output', async () => {
    const hatchet = fixture.hatchet.withMiddleware({
      before: (input: { n?: unknown }) => ({ type: typeof input.n }),
      after: () => ({ note: 7 }),
    });
    const input = z.object({ n: z.coerce.number<string>() });
    const task = hatchet.task({ name: 'between', input, fn: ({ n, type }) => ({ n, type }) });
    const refused = hatchet.task({
      name: 'refused',
      input,
      output: z.object({ note: z.string() }),
      fn: () => ({ note: 'a' }),
    });
    await fixture.serve('schemas', { workflows: [task, refused] });
    expect(await task.run({ n: '5' })).toEqual({ n: 5, type: 'number', note: 7 });
    expect(await failure(refused.run({ n: '5' }))).toContain('the output of refused does not match its schema: note');
  });

  it('fails the attempt for what it throws or gives, whatever that is, and the worker goes on', async () => {
    const wicked = {
      get message(): string {
        throw new Error('never read');
      },
    };
    const throwing = (thrown: unknown): TaskMiddleware => ({
      before: () => {
        throw thrown;
      },
    });
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const hooks: Record<string, TaskMiddleware> = {
      error: throwing(new Error('no entry')),
      text: throwing('just a text'),
      wicked: throwing(wicked),
      map: { after: () => ({ found: new Map() }) },
      proxy: { after: () => revoked.proxy },
      getter: {
        before: () => ({
          get bad(): string {
            throw new Error('a getter');
          },
        }),
      },
    };
    const tasks = Object.entries(hooks).map(([name, hook]) =>
      fixture.hatchet.withMiddleware(hook).task({ name: `hook-${name}`, fn: () => ({ done: true }) }),
    );
    const fine = fixture.hatchet.task({ name: 'fine', fn: () => ({ done: true }) });
    await fixture.serve('hostile', { workflows: [...tasks, fine] });
    const ends = await Promise.all(tasks.map(async (task) => await failure(task.run({}))));
    expect(ends).toEqual([
      'no entry',
      'just a text',
      expect.any(String),
      expect.stringContaining('JSON cannot carry a Map ("found")'),
      expect.stringContaining('revoked'),
      'a getter',
    ]);
    expect(await fine.run({})).toEqual({ done: true });
  });

  it('goes around durable tasks only where it says that it may', async () => {
    let count = 0;
    const hatchet = fixture.hatchet
      .withMiddleware({ before: () => ({ plain: ++count }), after: () => ({ never: true }) })
      .withMiddleware({
        before: async (_input, ctx) => ({ id: ctx.workflowRunId() }),
        after: () => ({ durable: true }),
        durable: true,
      });
    const task = hatchet.durableTask<object, { keys: string[]; id: boolean }>({
      name: 'durable',
      evictionPolicy: { ttl: '10ms' },
      fn: async (input, ctx) => {
        await ctx.sleepFor('300ms');
        return { keys: Object.keys(input), id: ctx.input.id === ctx.workflowRunId() };
      },
    });
    await fixture.serve('durables', { workflows: [task] });
    expect(await task.run({})).toEqual({ keys: ['id'], id: true, durable: true });
    expect(count).toBe(0);
  });

  it('is a function', () => {
    const hook: () => void = JSON.parse('7');
    expect(() => fixture.hatchet.withMiddleware({ before: hook })).toThrow(HatchetError);
    expect(() => fixture.hatchet.withMiddleware({ before: hook })).toThrow('the hook before of the middleware is 7');
  });
});
