/** BullMQ on a Redis of its own that writes each command to disk before it answers. Needs `redis-server`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { freePort } from '../../../engine/postgres/free-port.ts';
import type { Contestant, Job, Target } from '../contestant.ts';
import { endChild } from '../end-child.ts';
import { chunks, installedVersion } from '../helpers.ts';

const name = 'noop';

function connection({ url }: Target) {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}

async function openEvents(target: Target) {
  const events = new QueueEvents(name, { connection: connection(target) });
  await events.waitUntilReady();
  return events;
}

export const contestant: Contestant = {
  version: installedVersion('bullmq'),
  settings: 'addBulk by 1,000; concurrency 100; Redis with appendfsync always',
  async start({ folder, atEnd }) {
    const port = await freePort();
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const redis = spawn(
      'redis-server',
      ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, ...durable, '--loglevel', 'warning'],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await once(redis, 'spawn');
    await atEnd(() => endChild(redis));
    if (redis.pid === undefined) throw new Error('redis-server was not started');
    return {
      target: { url: `redis://127.0.0.1:${port}` },
      storePid: redis.pid,
      storesInPostgres: false,
    };
  },
  async prepare(target) {
    const queue = new Queue(name, { connection: connection(target) });
    await queue.waitUntilReady();
    await queue.close();
  },
  async progress(target) {
    const queue = new Queue(name, { connection: connection(target) });
    return {
      left: async () => {
        const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
        return Object.values(counts).reduce((sum, count) => sum + count, 0);
      },
      close: () => queue.close(),
    };
  },
  async openAdder(target) {
    const queue = new Queue<Job>(name, { connection: connection(target) });
    // Every end of a job comes by it: opened only when somebody waits for one.
    let events: ReturnType<typeof openEvents> | undefined;
    await queue.waitUntilReady();
    return {
      async addMany(jobs) {
        for (const some of chunks(jobs, 1000)) await queue.addBulk(some.map((data) => ({ name, data })));
      },
      async add(data) {
        await queue.add(name, data);
      },
      async addAndWait(data) {
        events ??= openEvents(target);
        const opened = await events;
        const job = await queue.add(name, data);
        await job.waitUntilFinished(opened);
      },
      async close() {
        await (await events)?.close();
        await queue.close();
      },
    };
  },
  async startWorker(target, _load, entered) {
    const worker = new Worker<Job>(name, async ({ data }) => entered(data.i), {
      connection: connection(target),
      concurrency: 100,
    });
    await worker.waitUntilReady();
    return { stop: () => worker.close() };
  },
};
