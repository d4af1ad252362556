/** Many tenants, workers and keys against one of each: tasks a second with some in flight until their results. */
import { plainShape, type Shape } from '../contestant.ts';
import { ours } from '../contestants.ts';
import { withRound } from '../round.ts';
import { inTurn } from '../session.ts';
import type { PartContext } from './part.ts';

/** By the names of their samples. */
const shapes: Readonly<Record<string, Partial<Shape>>> = {
  'one of each': {},
  '1 key': { keys: 1 },
  '10,000 keys': { keys: 10_000 },
  '100 workers': { workers: 100 },
  '1,000 tenants': { tenants: 1_000 },
};

export async function many(context: PartContext): Promise<void> {
  const { samples, sizes, cleanup, node } = context;
  const { inFlight, warmUp, jobs } = sizes;
  const contestant = await context.contestant(ours);
  for (const [what, some] of inTurn(Object.entries(shapes), context.round))
    await context.attempt(what, async () => {
      const shape = { ...plainShape, ...some };
      await withRound({ name: ours, contestant, shape, node }, cleanup, async (round) => {
        const measured = await round.inFlight({ until: 'result', inFlight, warmUp, count: jobs });
        samples.set(what, measured?.perSecond);
        samples.set(`engine with ${what}`, measured?.cpu.engine);
      });
    });
}
