/** An engine that is measured from inside its process, by `engine-probe.mjs`. */
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineOptions } from '../../engine/index.ts';
import { endProcess, spawnBenchEngine, untilReady, type BenchEngine } from '../launch-engine.ts';

const probe = join(dirname(fileURLToPath(import.meta.url)), 'engine-probe.mjs');

/** Since the last reset. */
export interface EngineFigures {
  ms: number;
  /** Of all threads of the process. */
  cpuMs: number;
  mainCpuMs: number;
  /** The main thread waited for a core. */
  waitedMs: number;
  /** By the wall. */
  longestTurnMs: number;
  /** The longest turn by its own time: that of the main thread on a core. */
  longest: { ms: number; ownMs: number; atMs: number };
  /** The own times of those that follow. */
  next: number[];
  /** Turns of more than 25 ms of their own. */
  overTarget: number;
  gcMs: number;
  longestGcMs: number;
  transactions: number;
  /** All of them, one after the other. */
  transactionsMs: number;
  longestTransactionMs: number;
  rssMb: number;
}

export class ProbedEngine {
  readonly #dataDir: string;
  #options: EngineOptions;
  #child: ChildProcess | undefined;
  #engine: BenchEngine | undefined;

  constructor(dataDir: string, options: EngineOptions = {}) {
    this.#dataDir = dataDir;
    this.#options = options;
  }

  get engine(): BenchEngine {
    if (this.#engine === undefined) throw new Error('the engine is not ready');
    return this.#engine;
  }

  async start(): Promise<void> {
    const child = spawnBenchEngine(this.#dataDir, {
      engine: this.#options,
      nodeArguments: ['--import', probe],
      ipc: true,
    });
    this.#child = child;
    this.#engine = await untilReady(child, () => child.send('reset')); // loading its modules is no turn
    // The same after a restart, so that its clients find it.
    this.#options = { ...this.#options, grpcPort: Number(this.#engine.address.split(':').at(-1)) };
  }

  async kill(): Promise<void> {
    if (this.#child !== undefined) await endProcess(this.#child, 'SIGKILL');
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) await endProcess(child);
  }

  reset(): void {
    this.#child?.send('reset');
  }

  async read(): Promise<EngineFigures> {
    if (this.#child === undefined) throw new Error('the engine was not started');
    const answer = once(this.#child, 'message');
    this.#child.send('read');
    const [figures]: EngineFigures[] = await answer;
    if (figures === undefined) throw new Error('the engine answered without figures');
    return figures;
  }
}
