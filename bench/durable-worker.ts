/** The worker of `bench/durable.ts`, a process of its own. argv: durable slots. Environment: HATCHET_CLIENT_*. */
import { Hatchet } from '../sdk/index.ts';

const hatchet = Hatchet.init();
const evictionPolicy = { ttl: '20ms' } as const;

const asleep = hatchet.durableTask({
  name: 'asleep',
  fn: async (input: { untilMs: number }, ctx) => {
    await ctx.sleepUntil(new Date(input.untilMs));
    return { lateMs: Date.now() - input.untilMs, invocations: ctx.invocationCount };
  },
});

const long = hatchet.durableTask({
  name: 'long',
  evictionPolicy,
  executionTimeout: '10m',
  fn: async (input: { nodes: number; together: boolean; scope: string }, ctx) => {
    const startedAt = performance.now();
    if (input.together) await Promise.all(Array.from({ length: input.nodes }, async (_, n) => ctx.memo([n], () => n)));
    else for (let n = 0; n < input.nodes; n++) await ctx.memo([n], () => n);
    const ms = performance.now() - startedAt;
    await ctx.waitForEvent('go', { scope: input.scope });
    return { ms, invocations: ctx.invocationCount };
  },
});

const nap = hatchet.durableTask({
  name: 'nap',
  fn: async (input: { ms: number }, ctx) => {
    const startedAt = performance.now();
    await ctx.sleepFor(input.ms);
    return { lateMs: performance.now() - startedAt - input.ms };
  },
});

const approved = hatchet.durableTask({
  name: 'approved',
  evictionPolicy,
  fn: async (input: { id: number; scope?: string; all?: boolean }, ctx) => {
    if (input.all === true) return ctx.waitForEvent('approval');
    return ctx.waitForEvent(
      'approval',
      input.scope === undefined ? { expression: `input.id == ${input.id}` } : { scope: input.scope },
    );
  },
});

const steps = hatchet.durableTask({
  name: 'steps',
  fn: async (input: { n: number }, ctx) => {
    const one = await ctx.memo(['one'], () => input.n + 1);
    const two = await ctx.memo(['two'], () => one + 1);
    return { three: await ctx.memo(['three'], () => two + 1) };
  },
});

const worker = await hatchet.worker('bench', {
  workflows: [asleep, long, nap, approved, steps],
  durableSlots: Number(process.argv[2] ?? 10),
});
await worker.start();
