import { NonRetryableError } from 'hatchet-ts';
import { z } from 'zod';
import { hatchet } from './hatchet.ts';

const Order = z
  .object({
    customer: z.string().min(1),
    items: z.array(z.int().positive()).min(1).describe('prices in cents'),
  })
  .meta({ examples: [{ customer: 'ada', items: [1200, 350] }] });

/** In cents. */
const largestTotal = 1_000_000;
const itemsPerParcel = 3;

// The second type says what callers read of a run: outputs of tasks, by their names.
export const order = hatchet.workflow<z.infer<typeof Order>, { ship: { message: string } }>({ name: 'order', input: Order });

const check = order.task({
  name: 'check',
  fn: ({ items }) => {
    const total = items.reduce((sum, price) => sum + price, 0);
    // Another attempt would find the same.
    if (total > largestTotal) throw new NonRetryableError(`a total of ${total} cents is more than ${largestTotal}`);
    return { total };
  },
});

// These two wait for `check`, and run at the same time.
const charge = order.task({
  name: 'charge',
  parents: [check],
  retries: 3,
  backoff: { factor: 2, maxSeconds: 30 },
  fn: async ({ customer }, ctx) => {
    const { total } = await ctx.parentOutput(check);
    await ctx.log(`charging ${customer} ${total} cents`);
    return { receipt: `${customer}-${total}` };
  },
});

const pack = order.task({
  name: 'pack',
  parents: [check],
  fn: ({ items }) => ({ parcels: Math.ceil(items.length / itemsPerParcel) }),
});

order.task({
  name: 'ship',
  parents: [charge, pack],
  fn: async (_input, ctx) => {
    const { receipt } = await ctx.parentOutput(charge);
    const { parcels } = await ctx.parentOutput(pack);
    return { message: `${parcels} parcel(s) sent for ${receipt}` };
  },
});
