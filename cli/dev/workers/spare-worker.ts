import { spawnWorker, type WorkerProcess, type WorkerProcessOptions } from './worker-process.ts';

type Start = Pick<WorkerProcessOptions, 'args' | 'cwd' | 'env'>;

interface Spare {
  process: WorkerProcess;
  start: string;
  /** Whom its output goes to, once it is somebody's. */
  owner: Pick<WorkerProcessOptions, 'onLine' | 'onLoaded' | 'onInspector'> | undefined;
}

/**
 * A worker's process that was started ahead: Node, its hooks and the SDK are up, and the program's own code is not. A
 * reload takes it and has only that code to load, which makes up for what modules cost more than a bundle.
 */
export class SpareWorker {
  #spare: Spare | undefined;

  prepare(start: Start): void {
    const key = keyOf(start);
    if (this.#spare?.start === key) return;
    this.stop();
    const spare: Spare = {
      start: key,
      owner: undefined,
      process: spawnWorker({
        ...start,
        onLine: (line) => spare.owner?.onLine(line),
        onLoaded: (file) => spare.owner?.onLoaded(file),
        onInspector: (port) => spare.owner?.onInspector(port),
      }),
    };
    this.#spare = spare;
    spare.process.order({ type: 'warm-up' });
    void spare.process.exited.then(() => {
      if (this.#spare === spare) this.#spare = undefined;
    });
  }

  /** One that is ready for the same start, else a new one. */
  take(options: WorkerProcessOptions): WorkerProcess {
    const spare = this.#spare;
    if (spare?.start !== keyOf(options)) return spawnWorker(options);
    this.#spare = undefined;
    spare.owner = options;
    if (spare.process.inspector !== undefined) options.onInspector(spare.process.inspector);
    return spare.process;
  }

  stop(): void {
    this.#spare?.process.kill();
    this.#spare = undefined;
  }
}

function keyOf({ args, cwd, env }: Start): string {
  return JSON.stringify([args, cwd, Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
