import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { Hatchet, type ClientOptions, type Runnable, type Worker, type WorkerOptions } from '../../sdk/index.ts';
import { ClusterDouble } from './cluster-double/cluster-double.ts';
import { isEvicted, waitsAt } from './durable-waits.ts';
import { makeEngine } from './engine-fixture.ts';
import { patient } from './patient.ts';
import { quiet } from './quiet-logger.ts';

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
    const fixture = makeEngine('sdk', { logLevel: 'error' });
    await fixture.start();
    const { engine } = fixture;
    const double = target === 'double' ? await ClusterDouble.start(engine) : undefined;
    const { hostPort, apiUrl } = double ?? {
      hostPort: `127.0.0.1:${engine.grpc.port}`,
      apiUrl: `http://127.0.0.1:${engine.http.port}`,
    };
    return new SdkBench(
      { token: engine.token, hostPort, apiUrl, tlsConfig: { strategy: 'none' }, namespace, logger: () => quiet },
      double,
      async () => {
        await double?.stop();
        await fixture.stop();
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

  waitsAt(taskId: string, node: number): Promise<void> {
    return waitsAt(this.hatchet, taskId, node);
  }

  isEvicted(taskId: string): Promise<void> {
    return isEvicted(this.hatchet, taskId);
  }

  async stop(): Promise<void> {
    this.hatchet.close();
    await this.#close();
  }
}
