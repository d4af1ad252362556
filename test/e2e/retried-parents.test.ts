import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Worker } from '../../sdk/index.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('retried-parents', { logLevel: 'error' });
let worker: Worker;
let running: Promise<void>;

/** What ran, in order: of which workflow, with which item. */
let ran: string[] = [];
/** How often each item fails before it succeeds. */
let failures = new Map<string, number>();

function childNamed(name: string) {
  return fixture.hatchet.task({
    name,
    fn: ({ item }: { item: string }) => {
      ran.push(`${name} ${item}`);
      const left = failures.get(item) ?? 0;
      failures.set(item, left - 1);
      if (left > 0) throw new Error(`${item} failed`);
      return { name, item };
    },
  });
}

type Child = ReturnType<typeof childNamed>;
interface Asked {
  child: Child;
  item: string;
  key?: string;
}

/** What each attempt of the parent asks for; it throws after each but the last. */
let attempts: ((children: { one: Child; other: Child }) => Asked[])[] = [];

function parentNamed(name: string, children: { one: Child; other: Child }) {
  return fixture.hatchet.task({
    name,
    retries: 5,
    fn: async (_: object, ctx) => {
      const asked = attempts[ctx.retryCount()]?.(children) ?? [];
      const outputs = [];
      for (const { child, item, key } of asked)
        outputs.push(
          await ctx
            .runChild(child, { item }, key === undefined ? {} : { childKey: key })
            .catch((error: unknown) => ({ failed: String(error) })),
        );
      if (ctx.retryCount() < attempts.length - 1) throw new Error('once more');
      return { outputs };
    },
  });
}

let parent: ReturnType<typeof parentNamed>;

beforeAll(async () => {
  const children = { one: childNamed('one'), other: childNamed('other') };
  parent = parentNamed('parent', children);
  worker = await fixture.hatchet.worker('retried parents', {
    handleKill: false,
    workflows: [children.one, children.other, parent],
  });
  running = worker.start();
  await worker.waitUntilReady();
});

beforeEach(() => {
  ran = [];
  failures = new Map();
});

afterAll(async () => {
  await worker.stop();
  await running;
});

describe('a retried parent', () => {
  it('gets the children again that completed', async () => {
    attempts = [0, 1, 2].map(() => ({ one }) => [
      { child: one, item: 'a' },
      { child: one, item: 'b', key: 'b' },
    ]);
    expect(await parent.run({})).toEqual({
      outputs: [
        { name: 'one', item: 'a' },
        { name: 'one', item: 'b' },
      ],
    });
    expect(ran).toEqual(['one a', 'one b']);
  });

  it('has those run again that failed, once an attempt, until one completes', async () => {
    failures = new Map([['b', 2]]);
    attempts = [0, 1, 2, 3, 4].map(() => ({ one }) => [
      { child: one, item: 'a' },
      { child: one, item: 'b' },
      { child: one, item: 'b', key: 'again' },
      { child: one, item: 'b', key: 'again' },
    ]);
    expect(await parent.run({})).toEqual({ outputs: ['a', 'b', 'b', 'b'].map((item) => ({ name: 'one', item })) });
    // In the first attempt the second and third failed; the fourth was the third.
    expect(ran).toEqual(['one a', 'one b', 'one b', 'one b', 'one b']);
  });

  it('whose list has changed gets no item of another', async () => {
    attempts = [
      ({ one }) => ['a', 'b', 'c'].map((item) => ({ child: one, item })),
      ({ one }) => ['b', 'c', 'd'].map((item) => ({ child: one, item })),
    ];
    expect(await parent.run({})).toEqual({ outputs: ['b', 'c', 'd'].map((item) => ({ name: 'one', item })) });
    expect(ran).toEqual(['one a', 'one b', 'one c', 'one b', 'one c', 'one d']);
  });

  it('whose code was edited gets no output of another workflow, under its key neither', async () => {
    attempts = [
      ({ one }) => [
        { child: one, item: 'a' },
        { child: one, item: 'b', key: 'k' },
      ],
      ({ other }) => [
        { child: other, item: 'a' },
        { child: other, item: 'b', key: 'k' },
      ],
    ];
    expect(await parent.run({})).toEqual({
      outputs: [
        { name: 'other', item: 'a' },
        { name: 'other', item: 'b' },
      ],
    });
    expect(ran).toEqual(['one a', 'one b', 'other a', 'other b']);
  });

  it('by its bulk call finds the same children', async () => {
    const child = childNamed('bulk-child');
    const bulk = fixture.hatchet.task({
      name: 'bulk-parent',
      retries: 2,
      fn: async (_: object, ctx) => {
        const outputs = await ctx.bulkRunChildren(
          ['a', 'b', 'c'].map((item) => ({ workflow: child, input: { item } })),
        );
        if (ctx.retryCount() === 0) throw new Error('once more');
        return { items: outputs.map(({ item }) => item) };
      },
    });
    const own = await fixture.hatchet.worker('bulk', { handleKill: false, workflows: [child, bulk] });
    const served = own.start();
    await own.waitUntilReady();
    try {
      failures = new Map([['b', 1]]);
      expect(await bulk.run({})).toEqual({ items: ['a', 'b', 'c'] });
      expect([...ran].sort()).toEqual(['bulk-child a', 'bulk-child b', 'bulk-child b', 'bulk-child c']);
    } finally {
      await own.stop();
      await served;
    }
  });
});
