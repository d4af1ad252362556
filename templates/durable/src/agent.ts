import { NonRetryableError } from 'hatchet-ts';
import { z } from 'zod';
import { hatchet } from './hatchet.ts';
import { locate } from './locate.ts';
import { think, type Finding } from './think.ts';

/** The longest way to an answer. */
const mostTurns = 8;

/** A model says what to do next, until it knows the answer. */
export const agent = hatchet.durableTask({
  name: 'agent',
  input: z.object({ question: z.string().min(1).meta({ examples: ['How far is it from Rome to Paris?'] }) }),
  output: z.object({ answer: z.string(), turns: z.int() }),
  fn: async ({ question }, ctx) => {
    const findings: Finding[] = [];
    for (let turn = 1; turn <= mostTurns; turn++) {
      // A model costs money, and answers differently each time: its answer is recorded. A crash costs one call at most.
      const next = await ctx.memo(['think', turn], async () => await think(question, findings));
      if ('answer' in next) return { answer: next.answer, turns: turn };
      // All at once. What has ended is not run again.
      findings.push(...(await Promise.all(next.locate.map((place) => locate.run({ place })))));
    }
    throw new NonRetryableError(`no answer after ${mostTurns} turns`);
  },
});
