/** This project: its built engine as a process of its own, and its built SDK. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Contestant, Shape, Target } from '../contestant.ts';
import { addTogether, countInPostgres, here } from '../helpers.ts';
import { startEngines } from '../ours/engines.ts';
import { connectBy, slots, type Program } from '../ours/programs.ts';

const root = join(here, '../..');
/** Clients that connect at once, where there are many. */
const connectingTogether = 50;

/** A client of each token. */
function connect(
  tokens: readonly string[],
  shape: Shape,
  entered: (i: number) => void = () => undefined,
): Promise<Program[]> {
  return Promise.all(tokens.map((token) => connectBy[shape.sdk](token, shape, entered)));
}

async function startWorkers({ tokens = [] }: Target, shape: Shape, workers: number, entered?: (i: number) => void) {
  const each = await connect(
    tokens.flatMap((token) => Array.from({ length: workers }, () => token)),
    shape,
    entered,
  );
  const stops: (() => Promise<void>)[] = [];
  await addTogether(each, connectingTogether, async (program) => {
    const stop = await program.work();
    stops.push(async () => {
      await stop();
      program.close();
    });
  });
  return {
    async stop() {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
}

export const contestant: Contestant = {
  get version() {
    return `hatchet-ts ${commit()}`;
  },
  settings: `one bulk call of all jobs; ${slots} slots; three steps as tasks of a DAG, and as memos of a durable task that keeps its slot`,
  flows: ['dag', 'durable'],
  start: startEngines,
  // A worker brings its tasks to the engine.
  async prepare(target, shape) {
    const worker = await startWorkers(target, shape, 1);
    await worker.stop();
  },
  progress: ({ url }) => countInPostgres(url, 'SELECT count(*) AS left FROM live'),
  async openAdder({ tokens = [] }, _load, shape) {
    const clients = await connect(tokens, shape);
    const clientOf = (i: number): Program => {
      const client = clients[i % clients.length];
      if (client === undefined) throw new Error('there is no tenant');
      return client;
    };
    return {
      async addMany(jobs) {
        const ofEach = clients.map((_, n) => jobs.filter(({ i }) => i % clients.length === n));
        await addTogether([...ofEach.entries()], connectingTogether, ([n, some]) => clientOf(n).addMany(some));
      },
      add: (job) => clientOf(job.i).add(job),
      addAndWait: (job) => clientOf(job.i).addAndWait(job),
      async close() {
        for (const client of clients) client.close();
      },
    };
  },
  startWorker: (target, _load, entered, shape) => startWorkers(target, shape, shape.workers, entered),
};
