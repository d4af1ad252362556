import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Or, type Hatchet } from '../../sdk/index.ts';
import { SdkBench } from '../helpers/sdk-target.ts';

/** Runs of each program: 200 in `npm run test:cluster`. */
const runs = Number(process.env['HATCHET_TEST_RUNS'] ?? 60);

let bench: SdkBench;
let hatchet: Hatchet;

beforeAll(async () => {
  bench = await SdkBench.start();
  ({ hatchet } = bench);
});

afterAll(() => bench.stop());

/** What became of runs, by their numbers: the order of their turns, and how often what is to happen once happened. */
class Ledger {
  readonly #orders = new Map<number, string[]>();
  readonly #counts = new Map<string, number>();
  /** Turns that a replay took in another order than the invocation before it. */
  readonly differences: string[] = [];
  starts = 0;

  /** Of one invocation of a run. */
  begin(run: number): (turn: string) => void {
    this.starts += 1;
    const known = this.#orders.get(run) ?? [];
    this.#orders.set(run, known);
    let at = 0;
    return (turn) => {
      const before = known[at] ?? turn;
      if (before !== turn) this.differences.push(`run ${run}, turn ${at}: ${turn} in place of ${before}`);
      known[at] = turn;
      at += 1;
    };
  }

  once<Value>(what: string, value: Value): Value {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
    return value;
  }

  get twice(): string[] {
    return [...this.#counts].flatMap(([what, times]) => (times > 1 ? [what] : []));
  }
}

/** All of them begin within a second or two, so that a worker's tasks crowd each other. */
async function all<Output>(run: (k: number) => Promise<Output>): Promise<Output[]> {
  return await Promise.all(
    Array.from({ length: runs }, async (_, k) => {
      await delay(k * 5);
      return await run(k);
    }),
  );
}

describe('durable operations that are asked for together', () => {
  it('come to the same end each time: all of children, memos and sleeps', async () => {
    const child = hatchet.task({ name: 'all-child', fn: (input: { n: number }) => ({ n: input.n * 2 }) });
    const task = hatchet.durableTask({
      name: 'all',
      fn: async (input: { k: number }, ctx) => {
        const children = await Promise.all([1, 2, 3].map((n) => ctx.runChild(child, { n: input.k + n })));
        const memos = await Promise.all([1, 2, 3].map((n) => ctx.memo([n], () => n * 10)));
        await Promise.all([1, 2, 3].map((n) => ctx.sleepFor(`${n * 20}ms`)));
        return { children: children.map(({ n }) => n), memos };
      },
    });
    await bench.serve([task, child], { slots: 100, durableSlots: 1000 });
    const outputs = await all((k) => task.run({ k }));
    expect(outputs).toEqual(
      outputs.map((_, k) => ({ children: [1, 2, 3].map((n) => (k + n) * 2), memos: [10, 20, 30] })),
    );
  });

  it('race to the end that the log has, though the task leaves its worker in between', async () => {
    const ledger = new Ledger();
    const child = hatchet.task({
      name: 'race-child',
      fn: async (input: { ms: number }) => await delay(input.ms, { ms: input.ms }),
    });
    const task = hatchet.durableTask({
      name: 'race',
      executionTimeout: '5m',
      evictionPolicy: { ttl: '150ms' },
      fn: async (input: { k: number }, ctx) => {
        const turn = ledger.begin(input.k);
        const slow = ctx.runChild(child, { ms: (input.k * 37) % 200 }).then(() => 'child');
        const short = ctx.sleepFor(`${20 + ((input.k * 13) % 200)}ms`).then(() => 'sleep');
        const winner = await Promise.race([slow, short]);
        turn(winner);
        // The log knows who has won: its place would not fit another one.
        const recorded = await ctx.memo([winner], () => ledger.once(`memo ${input.k}`, winner));
        await ctx.sleepFor('400ms');
        turn('slept');
        await Promise.all([slow, short]);
        return { agrees: winner === recorded };
      },
    });
    await bench.serve([task, child], { slots: 100, durableSlots: 1000 });
    expect(await all((k) => task.run({ k }))).toEqual(Array.from({ length: runs }, () => ({ agrees: true })));
    expect(ledger.differences).toEqual([]);
    expect(ledger.twice).toEqual([]);
    expect(ledger.starts).toBeGreaterThan(runs);
  });

  it('take their turns in one order in every invocation: mixed waits, evictions, and retries', async () => {
    const ledger = new Ledger();
    const child = hatchet.task({
      name: 'mixed-child',
      fn: async (input: { k: number; n: number; ms: number }) =>
        await delay(input.ms, ledger.once(`child ${input.k} ${input.n}`, { n: input.n })),
    });
    const broken = hatchet.task({ name: 'mixed-broken', fn: () => Promise.reject(new Error('broken')) });
    const task = hatchet.durableTask({
      name: 'mixed',
      executionTimeout: '5m',
      retries: 1,
      evictionPolicy: { ttl: '150ms' },
      fn: async (input: { k: number }, ctx) => {
        const { k } = input;
        const turn = ledger.begin(k);
        const took =
          <Value>(what: string) =>
          (value: Value): Value => {
            turn(what);
            return value;
          };
        const run = (n: number, ms: number): Promise<{ n: number }> =>
          ctx.runChild(child, { k, n, ms }).then(took(`child ${n}`));
        const one = run(1, (k * 37) % 300);
        const two = ctx
          .sleepFor(`${20 + ((k * 13) % 250)}ms`)
          .then(took('first sleep'))
          .then(async () => {
            await ctx.memo(['after the sleep'], () => ledger.once(`second memo ${k}`, 1)).then(took('second memo'));
            return await run(2, 5);
          });
        const three = ctx
          .memo(['first'], () => ledger.once(`first memo ${k}`, 7))
          .then(took('first memo'))
          .then(() => ctx.sleepFor('200ms'))
          .then(took('second sleep'));
        const four = ctx.runChild(broken, {}).catch(took('broken'));
        const first = await Promise.race([one.then(() => 'one'), two.then(() => 'two')]);
        await ctx.memo([first], () => ledger.once(`third memo ${k}`, 1)).then(took('third memo'));
        await Promise.all([one, two, three, four]);
        await ctx.waitFor(Or({ sleepFor: '300ms' }, { eventKey: 'never' })).then(took('wait'));
        if (ctx.retryCount() === 0) throw new Error('the first attempt fails');
        return { rest: await Promise.all([3, 4].map((n) => run(n, 20))), four: String(await four) };
      },
    });
    await bench.serve([task, child, broken], { slots: 100, durableSlots: 1000 });
    const outputs = await all((k) => task.run({ k }));
    expect(ledger.differences).toEqual([]);
    expect(ledger.twice).toEqual([]);
    expect(outputs).toEqual(
      Array.from({ length: runs }, () => ({ rest: [{ n: 3 }, { n: 4 }], four: 'RunFailedError: broken' })),
    );
    expect(ledger.starts).toBeGreaterThan(2 * runs);
  });
});
