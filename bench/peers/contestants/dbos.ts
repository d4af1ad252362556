import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk';
import type { Contestant, Job, Shape } from '../contestant.ts';
import { addTogether, countInPostgres, installedVersion } from '../helpers.ts';

const queueName = 'bench';
const workflowName = 'noop';
/** A workflow of one step, or of several. */
const stepsOf = ({ flow, steps }: Shape): number => (flow === 'durable' ? steps.length : 1);
type Input = Job & { steps: number };
/** The workflow is registered once in a process, and a worker may be started several times. */
let enter: (i: number) => void = () => undefined;
let isRegistered = false;

async function launch(url: string): Promise<void> {
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: url,
    systemDatabasePoolSize: 20,
    logLevel: 'error',
    runAdminServer: false,
  });
  if (!isRegistered) {
    DBOS.registerWorkflow(
      async ({ i, steps }: Input) => {
        for (let n = 1; n <= steps; n++) {
          if (n === steps) enter(i);
          await DBOS.runStep(async () => null, { name: `step ${n}` });
        }
      },
      { name: workflowName },
    );
    isRegistered = true;
  }
  await DBOS.launch();
}

export const contestant: Contestant = {
  version: installedVersion('@dbos-inc/dbos-sdk'),
  settings:
    'no bulk call: 50 client.enqueue at a time; a workflow of one step, or of three, pool 20, workerConcurrency 1,000, polls each 50 ms, at the low rate each 2 ms',
  flows: ['durable'],
  share: { backlog: 0.15, inFlight: 0.15 },
  async prepare({ url }) {
    await launch(url);
    await DBOS.shutdown();
  },
  progress: ({ url }) =>
    countInPostgres(url, "SELECT count(*) AS left FROM dbos.workflow_status WHERE status <> 'SUCCESS'"),
  async openAdder({ url }, _load, shape) {
    const client = await DBOSClient.create({ systemDatabaseUrl: url, systemDatabasePoolSize: 20 });
    const add = (job: Job) => client.enqueue({ workflowName, queueName }, { ...job, steps: stepsOf(shape) });
    return {
      addMany: (jobs) => addTogether(jobs, 50, add),
      async add(job) {
        await add(job);
      },
      async addAndWait(job) {
        const handle = await add(job);
        await handle.getResult({ pollingIntervalMs: 50 });
      },
      close: () => client.destroy(),
    };
  },
  async startWorker({ url }, load, entered) {
    enter = entered;
    await launch(url);
    await DBOS.registerQueue(queueName, {
      workerConcurrency: 1000,
      minPollingIntervalMs: load === 'lowRate' ? 2 : 50,
    });
    return { stop: () => DBOS.shutdown() };
  },
};
