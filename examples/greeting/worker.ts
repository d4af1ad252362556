// The example that `npm start` runs: a task, and a workflow of three tasks.
import { Hatchet } from 'hatchet-ts';
import { z } from 'zod';

const hatchet = Hatchet.init();

const simple = hatchet.task({
  name: 'simple',
  retries: 3,
  input: z.object({ message: z.string().meta({ examples: ['Hello, World'] }) }),
  output: z.object({ message: z.string() }),
  fn: ({ message }) => ({ message: message.toLowerCase() }),
});

const greeting = hatchet.workflow({
  name: 'greeting',
  input: z.object({
    name: z
      .string()
      .min(1)
      .meta({ examples: ['Ada'] }),
  }),
});

const compose = greeting.task({
  name: 'compose',
  fn: async ({ name }, ctx) => {
    await ctx.log(`composing a greeting for ${name}`);
    return { text: `Hello, ${name}!` };
  },
});

const count = greeting.task({
  name: 'count',
  parents: [compose],
  fn: async (_input, ctx) => ({ letters: (await ctx.parentOutput(compose)).text.length }),
});

greeting.task({
  name: 'send',
  parents: [compose, count],
  fn: async (_input, ctx) => {
    const { text } = await ctx.parentOutput(compose);
    const { letters } = await ctx.parentOutput(count);
    return { message: `${text} (${letters} letters)` };
  },
});

const worker = await hatchet.worker('greeting-worker', { workflows: [simple, greeting], slots: 100 });
await worker.start();
