import type { RunReader } from '../monitor/run-reader.ts';
import type { Emit, WorkerExit } from './events.ts';
import { SpareWorker } from './spare-worker.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface WorkersOptions {
  cwd: string;
  /** Processes of one generation. */
  count: number;
  env: () => Record<string, string | undefined>;
  /** Of the Node process that runs the worker. */
  args: readonly string[];
  /** Whether to keep a process ready for the next reload. */
  ahead: boolean;
  connect(): RunReader;
  emit: Emit;
}

interface Generation {
  number: number;
  manifest: string;
  processes: WorkerProcess[];
  ready: boolean;
  stopping: boolean;
  abort: AbortController;
}

/** Tasks of an old generation may go on this long, as the SDK's own limit allows, and a little more to report. */
const drainLimitMs = 65_000;
const firstBackoffMs = 1_000;
const crashLimit = 5;
/** Without a crash for this long, the count starts again. */
const calmMs = 30_000;

/**
 * The worker processes. A new generation serves before the old one drains, so that there is always one; a generation
 * that dies before it was ready leaves the old one alone.
 */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #generations = new Set<Generation>();
  #last = 0;
  #crashes = 0;
  #startedAtMs = 0;
  #retry: NodeJS.Timeout | undefined;
  readonly #spare = new SpareWorker();
  #stopped = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** Starts a generation on a build's code. A change of the code forgives earlier crashes. */
  replace(manifest: string): void {
    this.#crashes = 0;
    this.#start(manifest);
  }

  /** Whether the newest generation runs this manifest, or is about to. */
  isOn(manifest: string): boolean {
    return [...this.#generations].some((generation) => generation.number === this.#last && generation.manifest === manifest && !generation.stopping);
  }

  #start(manifest: string): void {
    clearTimeout(this.#retry);
    if (this.#stopped) return;
    // Of a burst, only the newest is waited for: what was not ready yet has taken nothing.
    for (const other of this.#generations) if (!other.ready) void this.#drain(other);
    const { emit, cwd, count } = this.#options;
    const generation: Generation = { number: ++this.#last, manifest, processes: [], ready: false, stopping: false, abort: new AbortController() };
    this.#generations.add(generation);
    this.#startedAtMs = performance.now();
    void this.#spawn(generation, { cwd, count }).then(
      () => generation.processes.length > 0 && emit({ type: 'worker-starting', generation: generation.number, pids: generation.processes.map((one) => one.pid) }),
      (error: unknown) => emit({ type: 'worker-exited', generation: generation.number, exit: { code: null, signal: null, lastLines: [String(error)] }, retryInMs: null, isLatest: true }),
    );
  }

  async #spawn(generation: Generation, { cwd, count }: { cwd: string; count: number }): Promise<void> {
    const reader = this.#options.connect();
    let before: Set<string>;
    try {
      before = new Set((await reader.listWorkers({ all: true })).map((worker) => worker.workerId));
    } catch (error) {
      reader.close();
      this.#generations.delete(generation);
      throw error;
    }
    if (generation.stopping || this.#stopped) {
      reader.close();
      this.#generations.delete(generation);
      return;
    }
    const onLine = (line: string): void => this.#options.emit({ type: 'worker-line', generation: generation.number, line });
    const env = this.#options.env();
    const onLoaded = (file: string): void => this.#options.emit({ type: 'worker-loaded', file });
    generation.processes = Array.from({ length: count }, () => this.#spare.take({ args: this.#options.args, cwd, env, onLine, onLoaded }));
    for (const one of generation.processes) one.order({ type: 'run', manifest: generation.manifest, project: cwd });
    for (const one of generation.processes) void one.exited.then((exit) => this.#exited(generation, { one, exit }));
    void this.#untilReady(generation, { reader, before }).finally(() => reader.close());
  }

  /** A worker is ready once the engine lists it as serving. Told by the engine's stream, so that nothing polls. */
  async #untilReady(generation: Generation, { reader, before }: { reader: RunReader; before: ReadonlySet<string> }): Promise<void> {
    const { signal } = generation.abort;
    try {
      for await (const { workers: count } of reader.streamOverview(signal)) {
        if (count === 0) continue;
        const workers = await reader.listWorkers({ all: false });
        const fresh = workers.filter((worker) => worker.status === 'ACTIVE' && !before.has(worker.workerId));
        if (fresh.length < this.#options.count) continue;
        this.#becameReady(generation);
        return;
      }
    } catch {
      // The engine went away meanwhile: the worker goes on by itself, and counts as ready when it stays.
      if (!signal.aborted) this.#becameReady(generation);
    }
  }

  #becameReady(generation: Generation): void {
    if (generation.stopping || generation.ready) return;
    generation.ready = true;
    this.#options.emit({ type: 'worker-ready', generation: generation.number, ms: Math.round(performance.now() - this.#startedAtMs) });
    for (const other of this.#generations) if (other.number < generation.number) void this.#drain(other);
    const { ahead, args, cwd, env } = this.#options;
    if (ahead && !this.#stopped) this.#spare.prepare({ args, cwd, env: env() });
  }

  #drain(generation: Generation): Promise<unknown> {
    const wasStopping = generation.stopping;
    generation.stopping = true;
    generation.abort.abort();
    if (!wasStopping && generation.processes.length > 0) this.#options.emit({ type: 'worker-draining', generation: generation.number, replaced: generation.number < this.#last });
    return Promise.all(generation.processes.map((one) => one.drain(drainLimitMs)));
  }

  #exited(generation: Generation, { one, exit }: { one: WorkerProcess; exit: WorkerExit }): void {
    generation.processes = generation.processes.filter((other) => other !== one);
    if (generation.stopping) {
      if (generation.processes.length > 0) return;
      this.#generations.delete(generation);
      this.#options.emit({ type: 'worker-stopped', generation: generation.number });
      return;
    }
    // One process of several died: the generation ends as a whole, and another takes its place.
    const isLatest = generation.number === this.#last;
    this.#generations.delete(generation);
    void this.#drain(generation);
    if (performance.now() - this.#startedAtMs > calmMs) this.#crashes = 0;
    this.#crashes++;
    const retryInMs = !isLatest || this.#crashes > crashLimit ? null : firstBackoffMs * 2 ** (this.#crashes - 1);
    this.#options.emit({ type: 'worker-exited', generation: generation.number, exit, retryInMs, isLatest });
    if (retryInMs !== null && !this.#stopped) this.#retry = setTimeout(() => this.#start(generation.manifest), retryInMs);
  }

  /** Drains all and resolves once they are gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#spare.stop();
    await Promise.all([...this.#generations].map((generation) => this.#drain(generation)));
  }
}
