import { hatchet } from './hatchet.ts';

export const simple = hatchet.task({
  name: 'simple',
  retries: 3,
  fn: (input: { message: string }) => ({ message: input.message.toLowerCase() }),
});
