import { Or, SleepCondition, UserEventCondition } from 'hatchet-ts';
import { hatchet } from './hatchet.ts';

export interface User {
  name?: string;
  plan?: string;
}

/**
 * Started by each event `user:created` of the scope `shop` that the filter lets through. Without filters, every event of the
 * key would start it, whatever its scope.
 */
export const signup = hatchet.workflow<User>({
  name: 'signup',
  onEvents: ['user:created'],
  defaultFilters: [{ scope: 'shop', expression: `input.plan == 'pro'`, payload: { gift: 'mug' } }],
});

const welcome = signup.task({
  name: 'welcome',
  fn: async (input, ctx) => {
    const name = input.name ?? 'stranger';
    await ctx.log(`welcome, ${name}; confirm with: npx hatchet trigger event user:confirmed --data '{"by":"mail"}'`);
    return { name, extra: ctx.filterPayload() };
  },
});

// Waits for the event, but not for ever; both count from the end of `welcome`.
signup.task({
  name: 'follow-up',
  parents: [welcome],
  waitFor: Or(new UserEventCondition('user:confirmed', `input.by != ''`), new SleepCondition('20s')),
  fn: async (_input, ctx) => {
    const { name } = await ctx.parentOutput(welcome);
    const confirmed = 'user:confirmed' in ctx.triggers();
    return { message: confirmed ? `${name} is with us` : `${name}, are you there?` };
  },
});
