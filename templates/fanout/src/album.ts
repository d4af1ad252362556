import { hatchet } from './hatchet.ts';
import { thumbnail } from './thumbnail.ts';

/** All images of a customer: one child each. If it is retried, it gets the children that it has already started. */
export const album = hatchet.task({
  name: 'album',
  retries: 1,
  executionTimeout: '10m',
  fn: async (input: { customer?: string; images?: number }, ctx) => {
    const customer = input.customer ?? 'ada';
    const images = Array.from({ length: input.images ?? 20 }, (_, number) => ({ customer, number }));
    await ctx.log(`${images.length} thumbnails for ${customer}`);
    const thumbnails = await thumbnail.run(images); // in the order of the images, with the type of what `thumbnail` gives
    return { files: thumbnails.length, bytes: thumbnails.reduce((sum, { bytes }) => sum + bytes, 0) };
  },
});
