import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { expect, inject, onTestFinished, vi } from 'vitest';
import type { RunningEngine } from '../../engine/base/engine-options.ts';
import { startEngine } from '../../engine/index.ts';
import { Hatchet, type ClientOptions, type Runnable, type Worker, type WorkerOptions } from '../../sdk/index.ts';
import { ClusterDouble } from './cluster-double/cluster-double.ts';
import { patient } from './patient.ts';
import { makeTempFolder } from './temp-folder.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/**
 * What the SDK's suite runs against: our engine, the double of a cluster before it, or a Hatchet cluster that
 * HATCHET_CLIENT_TOKEN and HATCHET_CLIENT_HOST_PORT name.
 */
export type SdkTarget = 'engine' | 'double' | 'cluster';

declare module 'vitest' {
  interface ProvidedContext {
    sdkTarget: 'engine' | 'cluster';
  }
}

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Which target this run has. */
export const target: SdkTarget =
  inject('sdkTarget') === 'engine'
    ? 'engine'
    : process.env['HATCHET_CLIENT_TOKEN'] === undefined
      ? 'double'
      : 'cluster';

/** Whether only Hatchet's contract can be counted on. */
export const isCluster = target !== 'engine';

/** A target with a client, and what was started for it. */
export class SdkBench {
  readonly hatchet: Hatchet;
  /** Where tests make something go wrong; there is none on a real cluster. */
  readonly double: ClusterDouble | undefined;
  readonly #options: ClientOptions;
  readonly #namespace: string;
  readonly #close: () => Promise<void>;

  private constructor(
    options: ClientOptions & { namespace: string },
    double: ClusterDouble | undefined,
    close: () => Promise<void>,
  ) {
    this.#options = options;
    this.#namespace = options.namespace;
    this.hatchet = Hatchet.init(options);
    this.double = double;
    this.#close = close;
  }

  /** Every bench has a namespace of its own, since a real cluster remembers earlier runs. */
  static async start(): Promise<SdkBench> {
    const namespace = `t${randomBytes(4).toString('hex')}`;
    if (target === 'cluster') return new SdkBench({ namespace, logger: () => quiet }, undefined, async () => {});
    const dataDir = makeTempFolder('sdk');
    const database: TestDatabase = await createTestDatabase();
    const engine: RunningEngine = await startEngine({
      databaseUrl: database.url,
      dataDir,
      grpcPort: 0,
      httpPort: 0,
      logLevel: 'error',
    });
    const behind = {
      hostPort: `127.0.0.1:${engine.grpc.port}`,
      apiUrl: `http://127.0.0.1:${engine.http.port}`,
      token: engine.token,
    };
    const double = target === 'double' ? await ClusterDouble.start(behind) : undefined;
    const { hostPort, apiUrl } = double ?? behind;
    return new SdkBench(
      { token: engine.token, hostPort, apiUrl, tlsConfig: { strategy: 'none' }, namespace, logger: () => quiet },
      double,
      async () => {
        await double?.stop();
        await engine.stop();
        await database.drop();
        rmSync(dataDir, { recursive: true });
      },
    );
  }

  /** A name that no earlier run has used, for what a namespace does not go before: keys of limits, names of crons. */
  named(name: string): string {
    return `${this.#namespace}-${name}`;
  }

  /** Another client of the target, which ends with the test. */
  client(options: ClientOptions = {}): Hatchet {
    const client = Hatchet.init({ ...this.#options, ...options });
    onTestFinished(() => client.close());
    return client;
  }

  /** A worker until the end of the test. */
  async serve(workflows: Runnable[], options: WorkerOptions = {}): Promise<Worker> {
    const worker = await this.hatchet.worker('test', { handleKill: false, ...options, workflows });
    await this.run(worker);
    return worker;
  }

  /** Starts a worker until the end of the test. */
  async run(worker: Worker): Promise<void> {
    const running = worker.start();
    onTestFinished(async () => {
      await worker.stop();
      await running;
    });
    await worker.waitUntilReady(patient.timeout);
  }

  /** Resolves once the task's log has its n-th node, unsatisfied. */
  async waitsAt(taskId: string, node: number): Promise<void> {
    const waits = expect.arrayContaining([expect.objectContaining({ nodeId: node, isSatisfied: false })]);
    await vi.waitFor(
      async () => expect(await this.#get(`tenants/${this.hatchet.tenantId}/durable-tasks/${taskId}`)).toEqual(waits),
      patient,
    );
  }

  async isEvicted(taskId: string): Promise<void> {
    await vi.waitFor(
      async () => expect(await this.#get(`tasks/${taskId}`)).toMatchObject({ isEvicted: true }),
      patient,
    );
  }

  async #get(path: string): Promise<unknown> {
    const { apiUrl, token } = this.hatchet.config;
    const response = await fetch(`${apiUrl}/api/v1/stable/${path}`, { headers: { authorization: `Bearer ${token}` } });
    return JSON.parse(await response.text());
  }

  async stop(): Promise<void> {
    this.hatchet.close();
    await this.#close();
  }
}

/** Something that code waits for, and a sign that it does. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open: () => open(), opened };
}
