// The example that `npm start` runs: a task, and a workflow of three tasks.
import { Hatchet } from 'hatchet-ts';

const hatchet = Hatchet.init();

const simple = hatchet.task({
  name: 'simple',
  retries: 3,
  fn: (input: { message: string }) => ({ message: input.message.toLowerCase() }),
});

const greeting = hatchet.workflow<{ name: string }>({ name: 'greeting' });

const compose = greeting.task({
  name: 'compose',
  fn: async (input, ctx) => {
    await ctx.log(`composing a greeting for ${input.name}`);
    return { text: `Hello, ${input.name}!` };
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
