import { z } from 'zod';
import { hatchet } from './hatchet.ts';
import { thumbnail } from './thumbnail.ts';

/** All images of a customer: one child each. If it is retried, it gets the children that it has already started. */
export const album = hatchet.task({
  name: 'album',
  retries: 1,
  executionTimeout: '10m',
  input: z.object({ customer: z.string().min(1).default('ada'), images: z.int().min(1).max(1000).default(20) }),
  output: z.object({ files: z.int(), bytes: z.int() }),
  fn: async ({ customer, images }, ctx) => {
    await ctx.log(`${images} thumbnails for ${customer}`);
    const inputs = Array.from({ length: images }, (_, number) => ({ customer, number }));
    const thumbnails = await thumbnail.run(inputs); // in the order of the images, with the type of what `thumbnail` gives
    return { files: thumbnails.length, bytes: thumbnails.reduce((sum, { bytes }) => sum + bytes, 0) };
  },
});
