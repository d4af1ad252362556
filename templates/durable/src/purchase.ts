import { z } from 'zod';
import { hatchet } from './hatchet.ts';

const Purchase = z
  .object({
    id: z.string().min(1),
    amount: z.number().positive(),
    /** How long to wait for a decision, such as `90s` or `2d`. */
    patience: z.templateLiteral([z.number().positive(), z.enum(['s', 'm', 'h', 'd'])]).default('1h'),
  })
  .meta({ examples: [{ id: '17', amount: 900 }] });

const Decision = z.object({ approved: z.boolean(), by: z.string().default('somebody') });

/** Asks a person, and waits for the answer, but not for ever. */
export const purchase = hatchet.durableTask({
  name: 'purchase',
  input: Purchase,
  output: z.object({ id: z.string(), outcome: z.string() }),
  fn: async ({ id, amount, patience }, ctx) => {
    // Recorded: whoever decides is asked once, however often this code is run again.
    await ctx.memo(['ask', id], () => {
      const answer = JSON.stringify({ id, approved: true, by: 'Ada' });
      console.log(`May we spend ${amount}? npx hatchet trigger event purchase:decided --data '${answer}'`);
    });
    const decision = await ctx.waitForEvent('purchase:decided', { schema: Decision, expression: `input.id == ${JSON.stringify(id)}`, timeout: patience });
    if (decision === undefined) return { id, outcome: 'nobody decided in time' };
    return { id, outcome: decision.approved ? `approved by ${decision.by}` : 'declined' };
  },
});
