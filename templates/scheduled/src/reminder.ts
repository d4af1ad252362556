import { z } from 'zod';
import { hatchet } from './hatchet.ts';

/** Runs at the time that it is scheduled for: by `report`, by the command, or by any program with a token. */
export const reminder = hatchet.task({
  name: 'reminder',
  input: z.object({ text: z.string().min(1).meta({ examples: ['stretch'] }) }),
  output: z.object({ text: z.string() }),
  fn: async ({ text }, ctx) => {
    await ctx.log(text);
    return { text };
  },
});
