import type { EngineOptions } from '../../engine/index.ts';
import { CliError } from '../cli-error.ts';
import { removeStaleRecord } from '../engine-process/engine-record.ts';
import { spawnEngine, type EngineProcess, type EngineReady } from '../engine-process/spawn-engine.ts';
import type { Emit } from './events.ts';

const firstBackoffMs = 200;
const longestBackoffMs = 5_000;

/** The engine's process: started, started again on the same ports when it dies, stopped. Where others stop it, it is not started again. */
export class EngineController {
  readonly #emit: Emit;
  #options: EngineOptions & { dataDir: string };
  #process: EngineProcess | undefined;
  #retry: NodeJS.Timeout | undefined;
  #backoffMs = firstBackoffMs;
  #stopping = false;
  #hasServed = false;

  constructor(options: EngineOptions & { dataDir: string }, emit: Emit) {
    this.#options = options;
    this.#emit = emit;
  }

  start(): void {
    if (this.#stopping) return;
    removeStaleRecord(this.#options.dataDir);
    const child = spawnEngine({
      engine: this.#options,
      log: 'file',
      detached: false,
      onStage: (stage) => this.#emit({ type: 'engine-stage', stage }),
    });
    this.#process = child;
    child.ready.then(
      (engine) => this.#ready(engine),
      (error: unknown) => {
        if (this.#stopping || this.#hasServed) return;
        this.#stopping = true; // a first start that failed is not tried again: its reason is the person's to remove
        this.#emit({ type: 'engine-failed', error: error instanceof CliError ? error : new CliError(String(error)) });
      },
    );
    void child.exited.then(({ code, signal }) => this.#exited(child, { code, signal }));
  }

  #ready(engine: EngineReady): void {
    const restarted = this.#hasServed;
    this.#hasServed = true;
    this.#backoffMs = firstBackoffMs;
    // Workers know these addresses: the next process has to take the same.
    this.#options = { ...this.#options, grpcPort: engine.grpc.port, httpPort: engine.http.port };
    this.#emit({ type: 'engine-ready', engine, restarted });
  }

  #exited(child: EngineProcess, { code, signal }: { code: number | null; signal: NodeJS.Signals | null }): void {
    if (this.#stopping || child !== this.#process || !this.#hasServed) return;
    if (code === 0) {
      // It was asked to, by `hatchet engine stop` or a second `hatchet dev` that wants the data folder: it must stay stopped.
      this.#stopping = true;
      this.#emit({
        type: 'engine-failed',
        error: new CliError('the engine was stopped from elsewhere', { remedy: 'Start it again with `hatchet dev`.' }),
      });
      return;
    }
    const retryInMs = this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, longestBackoffMs);
    this.#emit({ type: 'engine-exited', code, signal, retryInMs });
    this.#retry = setTimeout(() => this.start(), retryInMs);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#retry);
    await this.#process?.stop();
  }
}
