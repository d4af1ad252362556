import { setTimeout as delay } from 'node:timers/promises';
import { ConcurrencyLimitStrategy } from 'hatchet-ts';
import { z } from 'zod';
import { hatchet } from './hatchet.ts';

/** One image. At most five of a customer go at once; the others wait, and customers take turns. */
export const thumbnail = hatchet.task({
  name: 'thumbnail',
  retries: 2,
  concurrency: { expression: 'input.customer', maxRuns: 5, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
  input: z.object({ customer: z.string().min(1), number: z.int().nonnegative() }).meta({ examples: [{ customer: 'ada', number: 0 }] }),
  output: z.object({ file: z.string(), bytes: z.int() }),
  fn: async ({ customer, number }) => {
    await delay(20 + (number % 5) * 10); // stands for the work
    return { file: `${customer}/${number}.webp`, bytes: 1000 + number };
  },
});
