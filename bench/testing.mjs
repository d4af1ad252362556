/**
 * What a test waits for: its engine, and the time that its clock lets pass.
 * `npm run bench:testing`; prints one JSON object. Needs a build. Other test engines of this user must not be running.
 */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

const rounds = 10;

/** Milliseconds, and what came of it. */
async function timed(work) {
  const startedAt = performance.now();
  const value = await work();
  return { ms: performance.now() - startedAt, value };
}

function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: Math.round(sorted[Math.floor(sorted.length / 2)]),
    min: Math.round(sorted[0]),
    max: Math.round(sorted.at(-1)),
  };
}

/** @param work gives what it measured, by name */
async function repeat(work) {
  const figures = {};
  for (let round = 0; round < rounds; round++)
    for (const [name, ms] of Object.entries(await work())) (figures[name] ??= []).push(ms);
  return Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, summary(values)]));
}

const loading = await timed(() => import('hatchet-ts/testing'));
const { createTestEngine } = loading.value;
const cold = await timed(() => createTestEngine());
const first = cold.value;

/** Its Postgres is up from here on. */
const further = await repeat(async () => {
  const started = await timed(() => createTestEngine());
  const engine = started.value;
  const task = engine.hatchet.task({ name: 'task', fn: () => ({}) });
  const worker = await timed(() => engine.worker([task]));
  const run = await timed(() => task.run({}));
  return { engine: started.ms, worker: worker.ms, run: run.ms, stop: (await timed(() => engine.stop())).ms };
});

const admin = new Client({ connectionString: first.databaseUrl });
await admin.connect();
const clone = await repeat(async () => {
  const name = `bench_${randomBytes(4).toString('hex')}`;
  const made = {};
  for (const strategy of ['file_copy', 'wal_log']) {
    made[strategy] = (
      await timed(() => admin.query(`CREATE DATABASE ${name} TEMPLATE template_hatchet STRATEGY ${strategy}`))
    ).ms;
    await admin.query(`DROP DATABASE ${name}`);
  }
  return made;
});
await admin.end();

const nap = first.hatchet.durableTask({
  name: 'nap',
  fn: async (_input, ctx) => {
    await ctx.sleepFor('720h');
    return {};
  },
});
const daily = first.hatchet.task({ name: 'daily', fn: () => ({}) });
await first.worker([nap, daily]);
const sleep = await repeat(async () => {
  const run = await nap.runNoWait({});
  await first.settled();
  const month = await timed(async () => {
    await first.clock.advance('30d');
    return await first.waitForRun(run);
  });
  if (month.value.status !== 'COMPLETED') throw new Error(`the nap is ${month.value.status}`);
  return { advance_30d: month.ms };
});
await first.hatchet.crons.create(daily, { name: 'daily', expression: '0 9 * * *' });
const crons = await timed(() => first.clock.advance('30d'));
const ticks = (await first.results(daily)).length;
const lastStop = await timed(() => first.stop());

process.stdout.write(
  `${JSON.stringify(
    {
      ms: {
        load: Math.round(loading.ms),
        first_engine: Math.round(cold.ms),
        further_of_10: further,
        clone,
        durable_sleep: sleep,
        daily_cron: { ticks, advance_30d: Math.round(crons.ms) },
        last_stop: Math.round(lastStop.ms),
      },
      ratio: {
        further_to_first: Number((further.engine.median / cold.ms).toFixed(3)),
        clone_to_further: Number((clone.file_copy.median / further.engine.median).toFixed(3)),
      },
    },
    null,
    2,
  )}\n`,
);
