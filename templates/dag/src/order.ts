import { hatchet } from './hatchet.ts';

export interface Order {
  customer: string;
  /** Prices in cents. */
  items: number[];
}

export const order = hatchet.workflow<Order>({ name: 'order' });

const check = order.task({
  name: 'check',
  fn: (input) => {
    if (input.items.length === 0) throw new Error('the order is empty');
    return { total: input.items.reduce((sum, price) => sum + price, 0) };
  },
});

// These two wait for `check`, and run at the same time.
const charge = order.task({
  name: 'charge',
  parents: [check],
  retries: 3,
  backoff: { factor: 2, maxSeconds: 30 },
  fn: async (input, ctx) => {
    const { total } = await ctx.parentOutput(check);
    await ctx.log(`charging ${input.customer} ${total} cents`);
    return { receipt: `${input.customer}-${total}` };
  },
});

const pack = order.task({
  name: 'pack',
  parents: [check],
  fn: (input) => ({ parcels: Math.ceil(input.items.length / 3) }),
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
