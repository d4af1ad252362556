import { z } from 'zod';
import { ConcurrencyLimitStrategy, RateLimitDuration, type Hatchet } from '../../../sdk/index.ts';

/** Workflows of every kind that the page shows; `serve` them, and trigger what a test needs. */
export function sampleWorkflows(hatchet: Hatchet) {
  const greet = hatchet.task({
    name: 'greet',
    description: 'Says hello',
    input: z.object({
      name: z.string().min(2).describe('Who is greeted'),
      times: z.int().min(1).max(5).default(1),
      tone: z.enum(['kind', 'loud']),
      tags: z.array(z.string()).optional(),
      sender: z.object({ email: z.string() }).nullable(),
    }),
    fn: async (input, ctx) => {
      await ctx.log(`hello ${input.name}`);
      await ctx.log('this is a warning', 'WARN');
      return { greeting: `hello ${input.name}`, nested: { deep: { deeper: [1, 2, 3] } } };
    },
  });
  const order = hatchet.workflow<{ id: number }>({ name: 'order' });
  const check = order.task({ name: 'check', fn: ({ id }) => ({ id }) });
  const pay = order.task({ name: 'pay', parents: [check], fn: () => ({ paid: true }) });
  const pack = order.task({ name: 'pack', parents: [check], fn: () => ({ parcel: 7 }) });
  order.task({ name: 'send', parents: [pay, pack], fn: () => ({ sent: true }) });
  const broken = hatchet.task({
    name: 'broken',
    fn: (input: { order: number }): { ok: true } => {
      throw new Error(`order ${input.order} cannot be paid`);
    },
  });
  const held = hatchet.task({
    name: 'held',
    executionTimeout: '10m',
    concurrency: {
      expression: 'input.customer',
      maxRuns: 1,
      limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN,
    },
    fn: (_input: { customer: string }, ctx) =>
      new Promise<{ ended: true }>((resolve) => {
        ctx.abortController.signal.addEventListener('abort', () => resolve({ ended: true }));
      }),
  });
  const sleeper = hatchet.durableTask({
    name: 'sleeper',
    executionTimeout: '100h',
    fn: async (input: { note: string }, ctx) => {
      const noted = await ctx.memo(['note'], () => input.note);
      await ctx.sleepFor('1h');
      return { noted };
    },
  });
  const limited = hatchet.task({
    name: 'limited',
    rateLimits: [{ staticKey: 'mail-api', units: 1 }],
    fn: () => ({ mailed: true }),
  });
  const daily = hatchet.task({
    name: 'daily',
    onCrons: ['0 3 * * *'],
    onEvents: ['order:paid'],
    fn: () => ({ done: true }),
  });
  return {
    greet,
    order,
    broken,
    held,
    sleeper,
    limited,
    daily,
    all: [greet, order, broken, held, sleeper, limited, daily],
    putLimit: () => hatchet.ratelimits.upsert({ key: 'mail-api', limit: 2, duration: RateLimitDuration.HOUR }),
  };
}
