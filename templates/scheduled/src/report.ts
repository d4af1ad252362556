import { hatchet } from './hatchet.ts';
import { reminder } from './reminder.ts';

const remindAfterMs = 10_000;

/** Runs every minute: five fields, in UTC. A cron with a time zone or a catch-up policy is made by `hatchet.crons.create`. */
export const report = hatchet.task({
  name: 'report',
  onCrons: ['* * * * *'],
  fn: async (_input: object, ctx) => {
    const at = new Date();
    await ctx.log(`the report of ${at.toISOString()}`);
    // A run at a time of its own: it is kept in Postgres and outlives the worker and the engine.
    const scheduled = await hatchet.scheduled.create(reminder, {
      triggerAt: new Date(at.getTime() + remindAfterMs),
      input: { text: `read the report of ${at.toISOString()}` },
    });
    return { at: at.toISOString(), reminder: scheduled.metadata.id };
  },
});
