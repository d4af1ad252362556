/** This project: its built engine as a process of its own, and its built SDK. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type * as Sdk from '../../../sdk/index.ts';
import { spawnBenchEngine, untilReady } from '../../launch-engine.ts';
import type { Contestant, Job, Target } from '../contestant.ts';
import { endChild } from '../end-child.ts';
import { countInPostgres, here } from '../helpers.ts';

const root = join(here, '../..');
const slots = 500;

async function connect({ token }: Target, entered: (i: number) => void = () => undefined) {
  const { Hatchet }: typeof Sdk = await import(join(root, 'dist/sdk/index.js'));
  const hatchet = Hatchet.init({ ...(token === undefined ? {} : { token }), logLevel: 'OFF' });
  const noop = hatchet.task({
    name: 'noop',
    fn: ({ i }: { i: number; body: string }) => {
      entered(i);
      return {};
    },
  });
  return { hatchet, noop };
}

async function startWorker(target: Target, entered?: (i: number) => void) {
  const { hatchet, noop } = await connect(target, entered);
  const worker = await hatchet.worker('bench', { workflows: [noop], slots, handleKill: false });
  const ended = worker.start();
  await Promise.race([worker.waitUntilReady(), ended]);
  return {
    async stop() {
      await worker.stop();
      await ended;
      hatchet.close();
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
  settings: `one bulk call of all jobs; ${slots} slots`,
  async start(postgres, folder, atEnd) {
    const child = spawnBenchEngine(folder, { engine: { databaseUrl: postgres.url } });
    await atEnd(() => endChild(child));
    const engine = await untilReady(child);
    return {
      target: { url: postgres.url, token: engine.token },
      ...(child.pid === undefined ? {} : { enginePid: child.pid }),
      storePid: postgres.pid,
      storesInPostgres: true,
    };
  },
  // A worker brings its tasks to the engine.
  async prepare(target) {
    const worker = await startWorker(target);
    await worker.stop();
  },
  progress: ({ url }) => countInPostgres(url, 'SELECT count(*) AS left FROM live'),
  async openAdder(target) {
    const { hatchet, noop } = await connect(target);
    const plain = ({ i, body }: Job) => ({ i, body });
    return {
      async addMany(jobs) {
        await noop.runNoWait(jobs.map(plain));
      },
      async add(job) {
        await noop.runNoWait(plain(job));
      },
      async addAndWait(job) {
        await noop.run(plain(job));
      },
      close: async () => hatchet.close(),
    };
  },
  startWorker: (target, _load, entered) => startWorker(target, entered),
};
