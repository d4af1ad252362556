import { Or, SleepCondition, UserEventCondition } from 'hatchet-ts';
import { z } from 'zod';
import { hatchet } from './hatchet.ts';

const User = z.object({ name: z.string().min(1), plan: z.enum(['free', 'pro']) }).meta({ examples: [{ name: 'Ada', plan: 'pro' }] });

/**
 * Started by each event `user:created` of the scope `shop` that the filter lets through. Without filters, every event of the
 * key would start it, whatever its scope.
 */
export const signup = hatchet.workflow({
  name: 'signup',
  input: User,
  onEvents: ['user:created'],
  defaultFilters: [{ scope: 'shop', expression: `input.plan == 'pro'`, payload: { gift: 'mug' } }],
});

const welcome = signup.task({
  name: 'welcome',
  fn: async ({ name }, ctx) => {
    await ctx.log(`welcome, ${name}; confirm with: npx hatchet trigger event user:confirmed --data '{"by":"mail"}'`);
    return { name, extra: ctx.filterPayload() };
  },
});

// Waits for the event, but not for ever; both count from the end of `welcome`.
signup.task({
  name: 'follow-up',
  parents: [welcome],
  waitFor: Or(new UserEventCondition('user:confirmed', `input.by != ''`), new SleepCondition('10s')),
  output: z.object({ message: z.string() }),
  fn: async (_input, ctx) => {
    const { name } = await ctx.parentOutput(welcome);
    const confirmed = 'user:confirmed' in ctx.triggers();
    return { message: confirmed ? `${name} is with us` : `${name}, are you there?` };
  },
});
