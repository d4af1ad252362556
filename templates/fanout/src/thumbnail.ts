import { ConcurrencyLimitStrategy } from 'hatchet-ts';
import { setTimeout as delay } from 'node:timers/promises';
import { hatchet } from './hatchet.ts';

export interface Image {
  customer: string;
  number: number;
}

/** One image. At most five of a customer go at once; the others wait, and customers take turns. */
export const thumbnail = hatchet.task({
  name: 'thumbnail',
  retries: 2,
  concurrency: { expression: 'input.customer', maxRuns: 5, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
  fn: async ({ customer, number }: Image) => {
    await delay(20 + (number % 5) * 10); // stands for the work
    return { file: `${customer}/${number}.webp`, bytes: 1000 + number };
  },
});
