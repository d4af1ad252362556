import { OpenWorkflow } from 'openworkflow';
import { BackendPostgres } from 'openworkflow/postgres';
import type { Contestant, Job, Shape } from '../contestant.ts';
import { addTogether, countInPostgres, installedVersion } from '../helpers.ts';

async function open(url: string, { flow, steps }: Shape, entered: (i: number) => void = () => undefined) {
  const backend = await BackendPostgres.connect(url);
  const queue = new OpenWorkflow({ backend });
  const job = queue.defineWorkflow<Job, null>({ name: flow }, async ({ input, step }) => {
    if (flow === 'durable') for (const n of steps.keys()) await step.run({ name: `step ${n}` }, () => null);
    entered(input.i);
    return null;
  });
  return { backend, queue, job };
}

export const contestant: Contestant = {
  version: installedVersion('openworkflow'),
  settings: 'no bulk call: 50 runs at a time; a workflow without steps, or of three, concurrency 100',
  flows: ['durable'],
  share: { backlog: 0.15, inFlight: 0.15 },
  async prepare({ url }, shape) {
    const { backend } = await open(url, shape);
    await backend.stop();
  },
  progress: ({ url }) =>
    countInPostgres(url, "SELECT count(*) AS left FROM openworkflow.workflow_runs WHERE status <> 'completed'"),
  async openAdder({ url }, _load, shape) {
    const { backend, job } = await open(url, shape);
    return {
      addMany: (jobs) => addTogether(jobs, 50, (one) => job.run(one)),
      async add(one) {
        await job.run(one);
      },
      async addAndWait(one) {
        const handle = await job.run(one);
        await handle.result();
      },
      close: () => backend.stop(),
    };
  },
  async startWorker({ url }, _load, entered, shape) {
    const { backend, queue } = await open(url, shape, entered);
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
