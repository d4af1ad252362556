import { NonRetryableError } from 'hatchet-ts';
import { hatchet } from './hatchet.ts';
import { think, type Finding } from './think.ts';

const places: Record<string, { lat: number; lon: number }> = { Rome: { lat: 41.9, lon: 12.5 }, Paris: { lat: 48.9, lon: 2.4 }, Oslo: { lat: 59.9, lon: 10.8 } };

/** A tool: a task of its own, with its own retries and its own place in the list of runs. */
export const locate = hatchet.task({
  name: 'locate',
  retries: 2,
  fn: ({ place }: { place: string }) => ({ place, at: places[place] ?? null }),
});

/** The longest way to an answer. */
const mostTurns = 8;

/** A model says what to do next, until it knows the answer. */
export const agent = hatchet.durableTask({
  name: 'agent',
  fn: async ({ question = 'How far is it from Rome to Paris?' }: { question?: string }, ctx) => {
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
