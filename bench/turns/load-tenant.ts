/** What the scenarios of `scenarios.ts` do as a tenant. */
import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'pg';
import type { LiveState } from '../../engine/model/task/live-state.ts';
import type { AssignedAction, WorkerRegisterRequest } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import type { CreateTaskOpts } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { TenantClient } from '../tenant-client.ts';
import { BareWorker } from './bare-worker.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const perCall = 1_000;
const callsInFlight = 4;
const lookMs = 500;

export class LoadTenant {
  readonly client: TenantClient;
  readonly #options: { address: string; token: string; databaseUrl: string; divisor: number };
  readonly #pool: Pool;
  #durableWorker: ChildProcess | undefined;

  constructor(options: { address: string; token: string; databaseUrl: string; divisor: number }) {
    this.#options = options;
    this.client = new TenantClient(options.address, options.token);
    this.#pool = new Pool({ connectionString: options.databaseUrl, max: 1 });
    this.#pool.on('error', () => undefined); // Postgres may be started again beneath it
  }

  /** As a full run has it, or a quick one. */
  size(full: number): number {
    return Math.ceil(full / this.#options.divisor);
  }

  /** Nothing of it times out while a benchmark runs. */
  putWorkflow(name: string, task: Partial<CreateTaskOpts> = {}): Promise<unknown> {
    return this.client.putWorkflow(name, { timeout: '24h', scheduleTimeout: '24h', ...task });
  }

  /** Bulk calls, a few at once. */
  async fill(count: number, requestOf: (index: number) => Partial<TriggerWorkflowRequest>): Promise<void> {
    let sent = 0;
    const caller = async (): Promise<void> => {
      while (sent < count) {
        const from = sent;
        sent = Math.min(count, sent + perCall);
        await this.call(from, sent - from, requestOf);
      }
    };
    await Promise.all(Array.from({ length: callsInFlight }, caller));
  }

  /** One bulk call. */
  call(from: number, count: number, requestOf: (index: number) => Partial<TriggerWorkflowRequest>): Promise<unknown> {
    return this.client.triggerMany(
      Array.from({ length: count }, (_, index) => ({
        name: 'load',
        input: '{}',
        desiredWorkerLabels: {},
        ...requestOf(from + index),
      })),
    );
  }

  async worker(
    slots: number,
    onStart: (worker: BareWorker, action: AssignedAction) => void,
    labels: WorkerRegisterRequest['labels'] = {},
  ): Promise<BareWorker> {
    const { address, token } = this.#options;
    const worker: BareWorker = new BareWorker({ address, token, onStart: (action) => onStart(worker, action) });
    await worker.start(['load:only'], slots, labels);
    return worker;
  }

  /** Resolves once so many tasks of this database are in a state; of 0, that none is left in it. */
  async untilLive(state: LiveState, count: number): Promise<void> {
    const sql = 'SELECT count(*)::integer AS count FROM live WHERE state = $1';
    for (;;) {
      const { rows } = await this.#pool.query<{ count: number }>(sql, [state]);
      if (count === 0 ? rows[0]?.count === 0 : (rows[0]?.count ?? 0) >= count) return;
      await delay(lookMs);
    }
  }

  /** A process of the SDK with the durable tasks of `durable-worker.ts`. Resolves once they can be triggered. */
  async startDurableWorker(slots: number): Promise<void> {
    this.#durableWorker = spawn(
      process.execPath,
      ['--import', 'tsx', join(root, 'bench/durable-worker.ts'), String(slots)],
      {
        cwd: root,
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          ...process.env,
          HATCHET_CLIENT_TOKEN: this.#options.token,
          HATCHET_CLIENT_TLS_STRATEGY: 'none',
          HATCHET_CLIENT_LOG_LEVEL: 'OFF',
        },
      },
    );
    for (;;) {
      const { rows } = await this.#pool.query(`SELECT FROM workflow WHERE name = 'steps'`);
      if (rows.length > 0) return;
      await delay(100);
    }
  }

  close(): void {
    this.#durableWorker?.kill('SIGKILL');
    this.client.close();
  }
}
