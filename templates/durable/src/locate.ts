import { z } from 'zod';
import { hatchet } from './hatchet.ts';

const places: Record<string, { lat: number; lon: number }> = { Rome: { lat: 41.9, lon: 12.5 }, Paris: { lat: 48.9, lon: 2.4 }, Oslo: { lat: 59.9, lon: 10.8 } };

/** A tool of the agent: a task of its own, with its own retries and its own place in the list of runs. */
export const locate = hatchet.task({
  name: 'locate',
  retries: 2,
  input: z.object({ place: z.string().min(1).meta({ examples: ['Rome'] }) }),
  output: z.object({ place: z.string(), at: z.object({ lat: z.number(), lon: z.number() }).nullable() }),
  fn: ({ place }) => ({ place, at: places[place] ?? null }),
});
