import { OpenWorkflow } from 'openworkflow';
import { BackendPostgres } from 'openworkflow/postgres';
import type { Contestant, Job } from '../contestant.ts';
import { addTogether, countInPostgres, installedVersion } from '../helpers.ts';

async function open(url: string, entered: (i: number) => void = () => undefined) {
  const backend = await BackendPostgres.connect(url);
  const queue = new OpenWorkflow({ backend });
  const noop = queue.defineWorkflow<Job, null>({ name: 'noop' }, ({ input }) => {
    entered(input.i);
    return null;
  });
  return { backend, queue, noop };
}

export const contestant: Contestant = {
  version: installedVersion('openworkflow'),
  settings: 'no bulk call: 50 runs at a time; a workflow without steps, concurrency 100',
  share: { backlog: 0.15, inFlight: 0.15 },
  async prepare({ url }) {
    const { backend } = await open(url);
    await backend.stop();
  },
  progress: ({ url }) =>
    countInPostgres(url, "SELECT count(*) AS left FROM openworkflow.workflow_runs WHERE status <> 'completed'"),
  async openAdder({ url }) {
    const { backend, noop } = await open(url);
    return {
      addMany: (jobs) => addTogether(jobs, 50, (job) => noop.run(job)),
      async add(job) {
        await noop.run(job);
      },
      async addAndWait(job) {
        const handle = await noop.run(job);
        await handle.result();
      },
      close: () => backend.stop(),
    };
  },
  async startWorker({ url }, _load, entered) {
    const { backend, queue } = await open(url, entered);
    const worker = queue.newWorker({ concurrency: 100 });
    await worker.start();
    return {
      async stop() {
        await worker.stop();
        await backend.stop();
      },
    };
  },
};
