import { z } from 'zod';
import { hatchet } from './hatchet.ts';

export const simple = hatchet.task({
  name: 'simple',
  retries: 3,
  input: z.object({ message: z.string().meta({ examples: ['Hello, World'] }) }),
  output: z.object({ message: z.string() }),
  fn: ({ message }) => ({ message: message.toLowerCase() }),
});
