import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import type { Contestant } from '../contestant.ts';
import { chunks, countInPostgres, installedVersion } from '../helpers.ts';

const silent = new Logger(() => () => undefined);
const utilsOf = (url: string) => makeWorkerUtils({ connectionString: url, logger: silent, maxPoolSize: 20 });

export const contestant: Contestant = {
  version: installedVersion('graphile-worker'),
  settings:
    'addJobs by 1,000, pool 20; concurrentJobs 24, pool 12, localQueue 500, completeJobBatchDelay 0; at the low rate no local queue and no batches of completions',
  share: { inFlight: 0.2 },
  async prepare({ url }) {
    const utils = await utilsOf(url);
    await utils.migrate();
    await utils.release();
  },
  // A job that is completed is deleted.
  progress: ({ url }) => countInPostgres(url, 'SELECT count(*) AS left FROM graphile_worker._private_jobs'),
  async openAdder({ url }) {
    const utils = await utilsOf(url);
    return {
      async addMany(jobs) {
        for (const some of chunks(jobs, 1000))
          await utils.addJobs(some.map((payload) => ({ identifier: 'noop', payload })));
      },
      async add(job) {
        await utils.addJob('noop', job);
      },
      close: async () => await utils.release(),
    };
  },
  async startWorker({ url }, load, entered) {
    const batches = load === 'lowRate' ? {} : { localQueue: { size: 500 }, completeJobBatchDelay: 0 };
    const runner = await run({
      preset: {
        worker: { connectionString: url, logger: silent, concurrentJobs: 24, maxPoolSize: 12, ...batches },
      },
      noHandleSignals: true,
      taskList: {
        noop(payload) {
          if (typeof payload === 'object' && payload !== null && 'i' in payload) entered(Number(payload.i));
        },
      },
    });
    return { stop: () => runner.stop() };
  },
};
