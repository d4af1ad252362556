import { setTimeout as delay } from 'node:timers/promises';
import type { RunReader } from '../../monitor/run-reader.ts';
import { crashReason } from '../trouble/crash-reason.ts';
import type { Emit, WorkerExit } from '../events.ts';
import type { ProcessEnds } from './process-ends.ts';
import { CrashBackoff } from './crash-backoff.ts';
import { SpareWorker } from './spare-worker.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface WorkersOptions {
  cwd: string;
  /** Processes of one generation. */
  count: number;
  env: () => Record<string, string | undefined>;
  /** Of the Node process that runs the worker. */
  args: readonly string[];
  /** Whether a change of the files may start it again, so that giving up is not the end. */
  watched: boolean;
  /** Whether a start is given up at the first crash: somebody waits for its outcome. */
  impatient: boolean;
  /** Whether to keep a process ready for the next reload. */
  ahead: boolean;
  connect(): RunReader;
  /** Has the engine give these no more tasks. */
  pause(workerIds: readonly string[]): Promise<void>;
  /** Hears of each process that has ended, however it did. */
  ends: Pick<ProcessEnds, 'tell' | 'stop'>;
  emit: Emit;
}

interface Generation {
  number: number;
  manifest: string;
  processes: WorkerProcess[];
  /** Ids of the workers that were there before it. */
  before: ReadonlySet<string>;
  ready: boolean;
  stopping: boolean;
  abort: AbortController;
  /** As the engine knows its processes, once it does. */
  workerIds: readonly string[];
}

/** Tasks of an old generation may go on this long, as the SDK's own limit allows, and a little more to report. */
const drainLimitMs = 65_000;
/** An engine that does not answer does not hold up a reload. */
const pauseLimitMs = 1_000;
/** Before another process is tried in place of one that died. */
const refillMs = 1_000;

/**
 * The worker processes. A new generation serves before the old one drains, so that there is always one; a generation
 * that dies before it was ready leaves the old one alone. Where one process of several dies, the others go on, and another
 * takes its place.
 */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #generations = new Set<Generation>();
  #last = 0;
  readonly #crashes = new CrashBackoff();
  #startedAtMs = 0;
  #hasServed = false;
  #retry: NodeJS.Timeout | undefined;
  readonly #spare = new SpareWorker();
  #stopped = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** Starts a generation on a build's code. A change of the code forgives earlier crashes. */
  replace(manifest: string): void {
    this.#crashes.forgive();
    this.#start(manifest);
  }

  /** Whether the newest generation runs this manifest, or is about to. */
  isOn(manifest: string): boolean {
    return [...this.#generations].some(
      (generation) => generation.number === this.#last && generation.manifest === manifest && !generation.stopping,
    );
  }

  #start(manifest: string): void {
    clearTimeout(this.#retry);
    if (this.#stopped) return;
    // Of a burst, only the newest is waited for: what was not ready yet has taken nothing.
    for (const other of this.#generations) if (!other.ready) void this.#drain(other);
    const generation: Generation = {
      number: ++this.#last,
      manifest,
      processes: [],
      before: new Set(),
      ready: false,
      stopping: false,
      abort: new AbortController(),
      workerIds: [],
    };
    this.#generations.add(generation);
    this.#spawn(generation).catch((error: unknown) =>
      this.#tellExit(generation, {
        exit: { code: null, signal: null, lastLines: [String(error)] },
        retryInMs: null,
        isLatest: true,
      }),
    );
  }

  async #spawn(generation: Generation): Promise<void> {
    const reader = this.#options.connect();
    try {
      generation.before = new Set((await reader.listWorkers({ all: true })).map((worker) => worker.workerId));
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
    this.#fill(generation, reader);
  }

  /** Starts the processes that the generation lacks. */
  #fill(generation: Generation, reader: RunReader): void {
    const { emit, cwd, count } = this.#options;
    this.#startedAtMs = performance.now();
    const onLine = (line: string): void => emit({ type: 'worker-line', generation: generation.number, line });
    const env = this.#options.env();
    const onLoaded = (file: string): void => emit({ type: 'worker-loaded', file });
    // Of several processes the first is the one to be debugged.
    const onInspector = (port: number): void => this.#debug(generation, port);
    const isAlone = generation.processes.length === 0;
    const started = Array.from({ length: count - generation.processes.length }, (_, at) =>
      this.#spare.take({
        args: this.#options.args,
        cwd,
        env,
        onLine,
        onLoaded,
        onInspector: isAlone && at === 0 ? onInspector : () => undefined,
      }),
    );
    generation.processes = [...generation.processes, ...started];
    for (const one of started) {
      one.order({ type: 'run', manifest: generation.manifest, project: cwd });
      void one.exited.then((exit) => this.#exited(generation, { one, exit }));
    }
    emit({
      type: 'worker-starting',
      generation: generation.number,
      pids: generation.processes.map((each) => each.pid),
      serves: this.#serves(),
    });
    void this.#untilReady(generation, reader).finally(() => reader.close());
  }

  /** A worker is ready once the engine lists it as serving. Told by the engine's stream, so that nothing polls. */
  async #untilReady(generation: Generation, reader: RunReader): Promise<void> {
    const { signal } = generation.abort;
    try {
      for await (const { workers: count } of reader.streamOverview(signal)) {
        if (count === 0) continue;
        const workers = await reader.listWorkers({ all: false });
        const fresh = workers.filter((worker) => worker.status === 'ACTIVE' && !generation.before.has(worker.workerId));
        if (fresh.length < this.#options.count) continue;
        generation.workerIds = fresh.map((worker) => worker.workerId);
        await this.#becameReady(generation);
        return;
      }
    } catch {
      // The engine went away meanwhile: the worker goes on by itself, and counts as ready when it stays.
      if (!signal.aborted) await this.#becameReady(generation);
    }
  }

  async #becameReady(generation: Generation): Promise<void> {
    if (generation.stopping || generation.ready) return;
    generation.ready = true;
    this.#hasServed = true;
    // A worker may take tasks for a while after the signal that ends it: in another language, or while its loop is blocked.
    const replaced = [...this.#generations].filter(
      (other) => other.number < generation.number && other.ready && !other.stopping,
    );
    await Promise.race([
      this.#options.pause(replaced.flatMap(({ workerIds }) => workerIds)),
      delay(pauseLimitMs, undefined, { ref: false }),
    ]).catch(() => undefined);
    if (!generation.stopping)
      this.#options.emit({
        type: 'worker-ready',
        generation: generation.number,
        ms: Math.round(performance.now() - this.#startedAtMs),
      });
    for (const other of this.#generations) if (other.number < generation.number) void this.#drain(other);
    const { ahead, args, cwd, env } = this.#options;
    if (ahead && !this.#stopped) this.#spare.prepare({ args, cwd, env: env() });
  }

  /** The newest generation is debugged, from its first line on. */
  #debug({ number }: Generation, port: number): void {
    if (number === this.#last) this.#options.emit({ type: 'worker-inspector', port });
  }

  /** Whether one takes tasks now. */
  #serves(): boolean {
    return [...this.#generations].some((generation) => generation.ready && !generation.stopping);
  }

  #drain(generation: Generation): Promise<unknown> {
    const wasStopping = generation.stopping;
    generation.stopping = true;
    generation.abort.abort();
    if (!wasStopping && generation.processes.length > 0)
      this.#options.emit({
        type: 'worker-draining',
        generation: generation.number,
        replaced: generation.number < this.#last,
      });
    return Promise.all(generation.processes.map((one) => one.drain(drainLimitMs)));
  }

  #exited(generation: Generation, { one, exit }: { one: WorkerProcess; exit: WorkerExit }): void {
    generation.processes = generation.processes.filter((other) => other !== one);
    this.#options.ends.tell(one.id, exit);
    if (generation.stopping) {
      if (generation.processes.length > 0) return;
      this.#generations.delete(generation);
      this.#options.emit({ type: 'worker-stopped', generation: generation.number });
      return;
    }
    const isLatest = generation.number === this.#last;
    const goesOn = isLatest && generation.ready && generation.processes.length > 0;
    if (!goesOn) {
      this.#generations.delete(generation);
      void this.#drain(generation);
    }
    const pauseMs = this.#crashes.crashed(performance.now() - this.#startedAtMs);
    const retryInMs = !isLatest || (this.#options.impatient && !this.#hasServed) ? null : pauseMs;
    this.#tellExit(generation, { exit, retryInMs, isLatest });
    const serving = [...this.#generations].findLast((other) => other.ready && !other.stopping)?.processes[0]?.inspector;
    if (isLatest && serving !== undefined) this.#options.emit({ type: 'worker-inspector', port: serving });
    if (retryInMs !== null)
      this.#later(retryInMs, () => (goesOn ? this.#refill(generation) : this.#start(generation.manifest)));
  }

  #tellExit(
    { number, processes, workerIds }: Generation,
    { exit, retryInMs, isLatest }: { exit: WorkerExit; retryInMs: number | null; isLatest: boolean },
  ): void {
    const { emit, watched, cwd } = this.#options;
    // Of several processes it is not known here which worker was whose.
    emit({
      type: 'worker-exited',
      generation: number,
      exit,
      retryInMs,
      isLatest,
      waitsForChange: watched,
      reason: crashReason(exit.lastLines, cwd),
      workerIds: processes.length > 0 ? [] : workerIds,
      serves: this.#serves(),
    });
  }

  #later(ms: number, then: () => void): void {
    clearTimeout(this.#retry);
    if (!this.#stopped) this.#retry = setTimeout(then, ms);
  }

  /** Another process in place of one that died beside others. Tried again where there is no engine to connect to. */
  #refill(generation: Generation): void {
    if (generation.stopping) return;
    try {
      this.#fill(generation, this.#options.connect());
    } catch (error) {
      this.#options.emit({ type: 'worker-line', generation: generation.number, line: String(error) });
      this.#later(refillMs, () => this.#refill(generation));
    }
  }

  /** Drains all and resolves once they are gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#spare.stop();
    await Promise.all([...this.#generations].map((generation) => this.#drain(generation)));
    await this.#options.ends.stop();
  }
}
