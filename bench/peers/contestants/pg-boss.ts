import { PgBoss } from 'pg-boss';
import type { Contestant, Job, Load } from '../contestant.ts';
import { chunks, countInPostgres, installedVersion } from '../helpers.ts';

/** Only the low rate gains by NOTIFY: Postgres commits transactions that notify one after the other. */
const queues = { polled: 'polled', notified: 'notified' } as const;
const queueOf = (load: Load): string => (load === 'lowRate' ? queues.notified : queues.polled);

async function open(url: string): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: url, max: 20, useListenNotify: true });
  boss.on('error', (error) => console.error('pg-boss:', error));
  await boss.start();
  return boss;
}

const close = (boss: PgBoss) => boss.stop({ graceful: true, timeout: 10_000 });

export const contestant: Contestant = {
  version: installedVersion('pg-boss'),
  settings:
    'insert by 1,000; pool 20, batchSize 500, localConcurrency 2, burstWhenBatchFull, polls each 0.5 s; at the low rate notify and batchSize 10',
  share: { inFlight: 0.2 },
  async prepare({ url }) {
    const boss = await open(url);
    await boss.createQueue(queues.polled);
    await boss.createQueue(queues.notified, { notify: true });
    await close(boss);
  },
  progress: ({ url }) => countInPostgres(url, `SELECT count(*) AS left FROM pgboss.job WHERE state <> 'completed'`),
  async openAdder({ url }, load) {
    const boss = await open(url);
    const queue = queueOf(load);
    return {
      async addMany(jobs) {
        for (const some of chunks(jobs, 1000))
          await boss.insert(
            queue,
            some.map((data) => ({ data })),
          );
      },
      async add(job) {
        await boss.send(queue, job);
      },
      close: () => close(boss),
    };
  },
  async startWorker({ url }, load, entered) {
    const boss = await open(url);
    const options =
      load === 'lowRate'
        ? { batchSize: 10 }
        : { batchSize: 500, localConcurrency: 2, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
    await boss.work<Job>(queueOf(load), options, async (jobs) => {
      for (const { data } of jobs) entered(data.i);
    });
    return { stop: () => close(boss) };
  },
};
