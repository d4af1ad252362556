import type { Duration } from 'hatchet-ts';
import { hatchet } from './hatchet.ts';

interface Purchase {
  id?: string;
  amount?: number;
  patience?: Duration;
}

interface Decision {
  approved?: boolean;
  by?: string;
}

/** Asks a person, and waits for the answer, but not for ever. */
export const purchase = hatchet.durableTask({
  name: 'purchase',
  fn: async ({ id = '1', amount = 100, patience = '1h' }: Purchase, ctx) => {
    // Recorded: whoever decides is asked once, however often this code is run again.
    await ctx.memo(['ask', id], () => {
      const answer = JSON.stringify({ id, approved: true, by: 'Ada' });
      console.log(`May we spend ${amount}? npx hatchet trigger event purchase:decided --data '${answer}'`);
    });
    const decision = await ctx.waitForEvent<Decision>('purchase:decided', { expression: `input.id == ${JSON.stringify(id)}`, timeout: patience });
    if (decision === undefined) return { id, outcome: 'nobody decided in time' };
    return { id, outcome: decision.approved === true ? `approved by ${decision.by ?? 'somebody'}` : 'declined' };
  },
});
