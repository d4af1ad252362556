/**
 * absurd: its SDK from npm. Its tables are not in that package but in `absurdctl`, a Python program that calls `psql`; both are
 * taken from the path, `absurdctl` from `.venv` in this folder first.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Absurd } from 'absurd-sdk';
import { Pool } from 'pg';
import type { Contestant, Job, Shape } from '../contestant.ts';
import { addTogether, countInPostgres, here, installedVersion } from '../helpers.ts';

const queueName = 'bench';
const taskName = 'job';
const ownCtl = join(here, '.venv/bin/absurdctl');

function open(url: string) {
  const pool = new Pool({ connectionString: url, max: 20 });
  const quiet = (): void => undefined;
  const log = { log: quiet, info: quiet, warn: quiet, error: console.error };
  const queue = new Absurd({ db: pool, queueName, log });
  const close = async (): Promise<void> => {
    await queue.close();
    await pool.end();
  };
  return { queue, close };
}

function register(queue: Absurd, { flow, steps }: Shape, entered: (i: number) => void): void {
  queue.registerTask<Job, null>({ name: taskName }, async ({ i }, ctx) => {
    if (flow === 'durable') for (const n of steps.keys()) await ctx.step(`step ${n}`, async () => null);
    entered(i);
    return null;
  });
}

export const contestant: Contestant = {
  version: installedVersion('absurd-sdk'),
  settings:
    'no bulk call: 50 spawns at a time; a task without steps, or of three, pool 20, concurrency 500, polls each 50 ms, at the low rate each 2 ms',
  flows: ['durable'],
  share: { backlog: 0.15, inFlight: 0.15 },
  async prepare({ url }) {
    await promisify(execFile)(existsSync(ownCtl) ? ownCtl : 'absurdctl', ['init', '-d', url]);
    const { queue, close } = open(url);
    await queue.createQueue();
    await close();
  },
  progress: ({ url }) =>
    countInPostgres(url, `SELECT count(*) AS left FROM absurd.t_${queueName} WHERE state <> 'completed'`),
  async openAdder({ url }) {
    const { queue, close } = open(url);
    const add = (job: Job) => queue.spawn(taskName, job, { queue: queueName });
    return {
      addMany: (jobs) => addTogether(jobs, 50, add),
      async add(job) {
        await add(job);
      },
      async addAndWait(job) {
        const { taskID } = await add(job);
        await queue.awaitTaskResult(taskID);
      },
      close,
    };
  },
  async startWorker({ url }, load, entered, shape) {
    const { queue, close } = open(url);
    register(queue, shape, entered);
    await queue.startWorker({ concurrency: 500, pollInterval: load === 'lowRate' ? 0.002 : 0.05 });
    return { stop: close };
  },
};
