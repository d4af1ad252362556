import { Worker as Thread } from 'node:worker_threads';
import type { Healthcheck } from '../config/healthcheck.ts';
import type { WorkerLabels } from '../context/context-host.ts';
import type { Logger } from '../logger.ts';
import { healthSource } from './health-thread-source.ts';

/** How often the thread is told. Shorter than any threshold that makes sense, and next to nothing. */
const tellMs = 250;

/** What a worker says of itself. */
export interface WorkerHealth {
  name: string;
  /** Whether it listens for tasks. */
  connected: boolean;
  slots: number;
  /** Attempts that it has. */
  running: number;
  actions: string[];
  labels: WorkerLabels;
}

type ReadHealth = () => WorkerHealth;

const open = new Map<string, HealthPort>();

/** Workers of one process share a port: it is healthy where all of them are. @returns what takes the worker from it */
export function showHealth(settings: Healthcheck, logger: Logger, read: ReadHealth): () => Promise<void> {
  const key = `${settings.bindAddress}:${settings.port}`;
  const port = open.get(key) ?? new HealthPort(settings, logger);
  open.set(key, port);
  port.add(read);
  return async () => {
    if (port.remove(read) > 0) return;
    if (open.get(key) === port) open.delete(key);
    await port.close();
  };
}

/** A port that answers how the process is, from a thread of its own. */
class HealthPort {
  readonly #workers = new Set<ReadHealth>();
  readonly #thread: Thread;
  readonly #timer: NodeJS.Timeout;
  #toldAt = performance.now();

  constructor(settings: Healthcheck, logger: Logger) {
    const { port, bindAddress } = settings;
    this.#thread = new Thread(healthSource, {
      eval: true,
      workerData: settings,
      execArgv: [],
      name: 'hatchet-health',
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    });
    this.#thread.unref();
    const failed = (message: string): void =>
      void logger.error(
        `the health check cannot listen on ${bindAddress}:${port}: ${message}. Set HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT to a free port. The worker goes on without it`,
      );
    this.#thread.on('message', ({ error }: { error?: string }) =>
      error === undefined ? void logger.info(`health check on port ${port}: /health, /metrics`) : failed(error),
    );
    this.#thread.on('error', (error) => failed(String(error)));
    this.#timer = setInterval(() => this.#tell(), tellMs).unref();
  }

  add(read: ReadHealth): void {
    this.#workers.add(read);
    this.#tell();
  }

  /** @returns how many are left */
  remove(read: ReadHealth): number {
    this.#workers.delete(read);
    this.#tell();
    return this.#workers.size;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#thread.terminate();
  }

  #tell(): void {
    const now = performance.now();
    this.#thread.postMessage({
      workers: [...this.#workers].map((read) => read()),
      lagMs: Math.max(0, now - this.#toldAt - tellMs),
    });
    this.#toldAt = now;
  }
}
