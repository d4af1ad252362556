import { hatchet } from './hatchet.ts';

/** Runs at the time that it is scheduled for: by `report`, by the command, or by any program with a token. */
export const reminder = hatchet.task({
  name: 'reminder',
  fn: async (input: { text?: string }, ctx) => {
    const text = input.text ?? 'nothing to remember';
    await ctx.log(text);
    return { text };
  },
});
