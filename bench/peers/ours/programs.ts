/** A client or a worker of one tenant, by our SDK or by the published one. */
import { join } from 'node:path';
import type * as Sdk from '../../../sdk/index.ts';
import type { Job, Shape } from '../contestant.ts';
import { here } from '../helpers.ts';
import { declareJobs } from './bench-jobs.ts';

/** Of a worker. */
export const slots = 500;

export interface Program {
  addMany(jobs: readonly Job[]): Promise<void>;
  add(job: Job): Promise<void>;
  /** Resolves with the result of the job. */
  addAndWait(job: Job): Promise<void>;
  /** Resolves once it takes jobs, with what stops it. */
  work(): Promise<() => Promise<void>>;
  close(): void;
}

/** @param entered called by the task, or by the last step of its flow */
export type Connect = (token: string, shape: Shape, entered: (i: number) => void) => Promise<Program>;

interface Worker {
  start(): Promise<void>;
  waitUntilReady(): Promise<void>;
  stop(): Promise<void>;
}

const connectOurs: Connect = async (token, shape, entered) => {
  const { Hatchet }: typeof Sdk = await import(join(here, '../../dist/sdk/index.js'));
  const hatchet = Hatchet.init({ token, logLevel: 'OFF' });
  const { runnable, ...calls } = declareJobs(hatchet, shape, entered);
  return {
    ...calls,
    work: async () =>
      started(
        await hatchet.worker('bench', {
          workflows: [runnable],
          slots,
          ...(shape.flow === 'durable' ? { durableSlots: slots } : {}),
          handleKill: false,
        }),
      ),
    close: () => hatchet.close(),
  };
};

const connectPublished: Connect = async (token, shape, entered) => {
  if (shape.flow !== 'noop' || shape.keys > 0) throw new Error('by the published SDK only plain tasks are measured');
  const { HatchetClient } = await import('@hatchet-dev/typescript-sdk/v1/index.js');
  const hatchet = HatchetClient.init({ token, log_level: 'OFF', tls_config: { tls_strategy: 'none' } });
  const task = hatchet.task({
    name: 'noop',
    fn: ({ i }: { i: number; body: string }) => {
      entered(i);
      return {};
    },
  });
  return {
    async addMany(jobs) {
      await task.runNoWait(jobs.map(({ i, body }) => ({ i, body })));
    },
    async add({ i, body }) {
      await task.runNoWait({ i, body });
    },
    async addAndWait({ i, body }) {
      await task.run({ i, body });
    },
    async work() {
      const stop = await started(await hatchet.worker('bench', { workflows: [task], slots, handleKill: false }));
      return async () => {
        await stop();
        // Its own stay, and keep the process from ending by the signal.
        process.removeAllListeners('SIGTERM');
      };
    },
    // It closes no connections: they end with its process.
    close: () => undefined,
  };
};

export const connectBy: Readonly<Record<Shape['sdk'], Connect>> = { ours: connectOurs, published: connectPublished };

async function started(worker: Worker): Promise<() => Promise<void>> {
  const ended = worker.start();
  await Promise.race([worker.waitUntilReady(), ended]);
  return async () => {
    await worker.stop();
    await ended;
  };
}
