import { Metadata } from '@grpc/grpc-js';
import { AdminServiceClient } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import { channelCredentials, channelTls } from '../../../sdk/connection/tls-material.ts';
import type { Connection } from '../../connection/resolve-connection.ts';
import { nowMs, type WorkerMessage } from './bench-messages.ts';

export interface LoadOptions {
  connection: Connection;
  workflow: string;
  input: Buffer;
  /** Runs a second; without it the number under way is held at `inFlight`. */
  rate: number | undefined;
  inFlight: number;
}

export interface LoadFigures {
  /** Runs whose trigger was acknowledged. */
  triggered: number;
  /** Of those, the ones that were seen to complete. */
  completedRuns: number;
  completedTasks: number;
  failedTriggers: number;
  firstMs: number;
  lastTriggerMs: number;
  lastCompletionMs: number;
  triggerMs: number[];
  startMs: number[];
  completeMs: number[];
}

interface Run {
  sentMs: number;
  counted: boolean;
  startedMs: number | undefined;
  completedMs: number | undefined;
}

const metadata = Buffer.from('{}');
/** With a rate, what is due is sent this often. */
const paceMs = 2;

/** Triggers runs, one call each, and keeps the times of every run. */
export class BenchLoad {
  readonly #options: LoadOptions;
  readonly #client: AdminServiceClient;
  readonly #metadata = new Metadata();
  readonly #runs = new Map<string, Run>();
  /** What a worker said of runs whose trigger has not been answered yet. */
  readonly #early = new Map<string, { startedMs?: number; completedMs?: number }>();
  #figures = emptyFigures();
  #open = 0;
  #sending = false;
  #measuring = false;
  #wake: () => void = () => undefined;
  #lastError = '';

  constructor(options: LoadOptions) {
    this.#options = options;
    const { address, tls, token } = options.connection;
    this.#client = new AdminServiceClient(address, channelCredentials(tls), {
      ...channelTls(tls),
      'grpc.keepalive_time_ms': 10_000,
      'grpc.enable_channelz': 0,
    });
    this.#metadata.set('authorization', `bearer ${token}`);
  }

  get lastError(): string {
    return this.#lastError;
  }

  /** Sends for a time, then returns; answers and completions may be outstanding. Only runs sent while measuring are counted. */
  async send(durationMs: number, options: { measure: boolean; signal: AbortSignal }): Promise<void> {
    this.#sending = true;
    this.#measuring = options.measure;
    if (options.measure) this.#figures = emptyFigures();
    const untilMs = nowMs() + durationMs;
    const stop = (): void => {
      this.#sending = false;
      this.#wake();
    };
    options.signal.addEventListener('abort', stop);
    const timer = setTimeout(stop, durationMs);
    if (this.#options.rate === undefined) this.#fill();
    else await this.#pace(this.#options.rate, untilMs);
    while (this.#sending) await this.#change();
    clearTimeout(timer);
    options.signal.removeEventListener('abort', stop);
  }

  /** Waits until every run has completed, or nothing moved for `patienceMs`. */
  async settle(patienceMs: number, signal: AbortSignal): Promise<LoadFigures> {
    let seen = -1;
    while (this.#open > 0 && !signal.aborted) {
      if (seen === this.#open) break;
      seen = this.#open;
      const quiet = new AbortController();
      const timer = setTimeout(() => {
        quiet.abort();
        this.#wake();
      }, patienceMs);
      while (this.#open > 0 && this.#open === seen && !quiet.signal.aborted && !signal.aborted) await this.#change();
      clearTimeout(timer);
    }
    return this.#figures;
  }

  progress(message: Extract<WorkerMessage, { type: 'progress' }>): void {
    if (this.#measuring) this.#figures.completedTasks += message.tasks;
    for (const [runId, atMs] of message.started) {
      const run = this.#runs.get(runId);
      if (run === undefined) this.#early.set(runId, { ...this.#early.get(runId), startedMs: atMs });
      else this.#started(run, atMs);
    }
    for (const [runId, atMs] of message.completed) {
      const run = this.#runs.get(runId);
      if (run === undefined) this.#early.set(runId, { ...this.#early.get(runId), completedMs: atMs });
      else this.#completed(runId, run, atMs);
    }
  }

  close(): void {
    this.#client.close();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #fill(): void {
    while (this.#sending && this.#open < this.#options.inFlight) this.#trigger();
  }

  async #pace(rate: number, untilMs: number): Promise<void> {
    const beganMs = nowMs();
    let sent = 0;
    while (this.#sending && nowMs() < untilMs) {
      const due = Math.floor(((nowMs() - beganMs) * rate) / 1000) + 1;
      for (; sent < due; sent++) this.#trigger();
      await new Promise((resolve) => setTimeout(resolve, paceMs));
    }
  }

  #trigger(): void {
    this.#open++;
    const run: Run = { sentMs: nowMs(), counted: this.#measuring, startedMs: undefined, completedMs: undefined };
    const figures = this.#figures;
    if (run.counted && figures.firstMs === 0) figures.firstMs = run.sentMs;
    const request = {
      workflowName: this.#options.workflow,
      input: this.#options.input,
      additionalMetadata: metadata,
      desiredWorkerLabels: {},
    };
    this.#client.triggerWorkflowRun(request, this.#metadata, (error, response) => {
      if (error !== null) {
        this.#lastError = error.details;
        if (run.counted) figures.failedTriggers++;
        this.#ended();
        return;
      }
      const atMs = nowMs();
      if (run.counted) {
        figures.triggered++;
        figures.lastTriggerMs = atMs;
        figures.triggerMs.push(atMs - run.sentMs);
      }
      this.#answered(response.externalId, run);
    });
  }

  #answered(runId: string, run: Run): void {
    this.#runs.set(runId, run);
    const early = this.#early.get(runId);
    if (early === undefined) return;
    this.#early.delete(runId);
    if (early.startedMs !== undefined) this.#started(run, early.startedMs);
    if (early.completedMs !== undefined) this.#completed(runId, run, early.completedMs);
  }

  #started(run: Run, atMs: number): void {
    if (run.startedMs !== undefined) return;
    run.startedMs = atMs;
    if (run.counted) this.#figures.startMs.push(atMs - run.sentMs);
  }

  #completed(runId: string, run: Run, atMs: number): void {
    if (run.completedMs !== undefined) return;
    run.completedMs = atMs;
    this.#runs.delete(runId);
    if (run.counted) {
      this.#figures.completedRuns++;
      this.#figures.lastCompletionMs = Math.max(this.#figures.lastCompletionMs, atMs);
      this.#figures.completeMs.push(atMs - run.sentMs);
    }
    this.#ended();
  }

  #ended(): void {
    this.#open--;
    if (this.#options.rate === undefined) this.#fill();
    this.#wake();
  }
}

function emptyFigures(): LoadFigures {
  return {
    triggered: 0,
    completedRuns: 0,
    completedTasks: 0,
    failedTriggers: 0,
    firstMs: 0,
    lastTriggerMs: 0,
    lastCompletionMs: 0,
    triggerMs: [],
    startMs: [],
    completeMs: [],
  };
}
