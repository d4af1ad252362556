import { z } from 'zod';
import { hatchet } from './hatchet.ts';
import { reminder } from './reminder.ts';

/** Runs every minute: five fields, in UTC. A cron with a time zone or a catch-up policy is made by `hatchet.crons.create`. */
export const report = hatchet.task({
  name: 'report',
  onCrons: ['* * * * *'],
  // A cron gives an empty input: the schema fills it.
  input: z.object({ remindAfterSeconds: z.number().positive().default(10) }),
  output: z.object({ at: z.iso.datetime(), reminder: z.string() }),
  fn: async ({ remindAfterSeconds }, ctx) => {
    const at = new Date().toISOString();
    await ctx.log(`the report of ${at}`);
    // A run at a time of its own: it is kept in Postgres and outlives the worker and the engine.
    const scheduled = await hatchet.scheduled.create(reminder, {
      delay: { seconds: remindAfterSeconds }, // or `triggerAt`, a time
      input: { text: `read the report of ${at}` },
    });
    return { at, reminder: scheduled.metadata.id };
  },
});
