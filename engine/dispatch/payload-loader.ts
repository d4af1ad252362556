import type { Host, HostTimer } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import type { RunPayload } from '../model/payload/run-payload.ts';
import type { Assignment } from '../model/task/effect.ts';
import type { Sending } from './worker-message.ts';
import type { PayloadCache } from './payload-cache.ts';
import type { Reads } from './start-message.ts';

/** Reads at once, on as many connections, and assignments that each is for. What comes meanwhile is read with the next. */
export const dispatchReads = 2;
const mostAssignments = 100;
/** Pauses after a read that failed: doubled with each in a row. */
const firstPauseMs = 100;
const longestPauseMs = 2_000;

/** What an attempt's message is made of, where memory does not have it any more. */
export interface PayloadReads {
  readRuns(runIds: readonly string[]): Promise<ReadonlyMap<string, RunPayload>>;
  readOutputs(tasks: readonly { taskId: string; generation: number }[]): Promise<ReadonlyMap<string, string>>;
  readInputs(tasks: readonly { taskId: string; branch: number }[]): Promise<ReadonlyMap<string, string>>;
  readErrors(tasks: readonly { taskId: string; generation: number }[]): Promise<ReadonlyMap<string, string>>;
}

/**
 * Reads payloads of assignments, and delivers these with them. While Postgres cannot be read the assignments wait, with their
 * slots: their attempts have not begun, so nothing is lost but time, and another worker could not be sent them either.
 */
export class PayloadLoader {
  readonly #reads: PayloadReads;
  readonly #cache: PayloadCache;
  readonly #log: Logger;
  readonly #isWanted: (assignment: Assignment) => boolean;
  readonly #deliver: (sending: Sending, reads: Reads) => void;
  #waiting: Sending[] = [];
  #running = 0;
  #pauseMs = 0;
  readonly #host: Host;
  #pause: HostTimer | undefined;
  #stopped = false;
  #loaded: (() => void)[] = [];

  /** @param options.isWanted whether the attempt has not ended meanwhile */
  constructor(options: {
    reads: PayloadReads;
    cache: PayloadCache;
    log: Logger;
    isWanted: (assignment: Assignment) => boolean;
    deliver: (sending: Sending, reads: Reads) => void;
    host: Host;
  }) {
    this.#reads = options.reads;
    this.#cache = options.cache;
    this.#log = options.log;
    this.#isWanted = options.isWanted;
    this.#deliver = options.deliver;
    this.#host = options.host;
  }

  load(sendings: readonly Sending[]): void {
    for (const sending of sendings) this.#waiting.push(sending);
    this.#next();
  }

  /** Resolves after the next read. */
  loaded(): Promise<void> {
    return new Promise((resolve) => this.#loaded.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
    this.#pause?.clear();
    this.#waiting = [];
  }

  #next(): void {
    while (!this.#stopped && this.#pause === undefined && this.#running < dispatchReads) {
      const sendings = this.#take();
      if (sendings.length === 0) return;
      this.#running++;
      this.#load(sendings)
        .catch((error: unknown) => this.#failed(sendings, error))
        .finally(() => {
          this.#running--;
          for (const tell of this.#loaded.splice(0)) tell();
          this.#next();
        });
    }
  }

  /** A sending whose members are all over is not read for. */
  #take(): Sending[] {
    const taken: Sending[] = [];
    let assignments = 0;
    let at = 0;
    for (; at < this.#waiting.length && assignments < mostAssignments; at++) {
      const sending = this.#waiting[at];
      if (sending?.assignments.some(this.#isWanted) !== true) continue;
      taken.push(sending);
      assignments += sending.assignments.length;
    }
    this.#waiting = this.#waiting.slice(at);
    return taken;
  }

  async #load(sendings: readonly Sending[]): Promise<void> {
    const assignments = sendings.flatMap((sending) => sending.assignments);
    const ofTasks = (of: (assignment: Assignment) => Assignment['parents']): { taskId: string; generation: number }[] =>
      assignments.flatMap((assignment) =>
        of(assignment).map(({ taskId }) => ({ taskId, generation: assignment.generation })),
      );
    const runs = await this.#reads.readRuns([...new Set(assignments.map(({ runId }) => runId))]);
    const outputs = await this.#reads.readOutputs(ofTasks(({ parents }) => parents));
    const errors = await this.#reads.readErrors(ofTasks(({ failed }) => failed));
    const inputs = await this.#reads.readInputs(
      assignments.flatMap(({ taskId, inputBranch: branch }) => (branch === null ? [] : [{ taskId, branch }])),
    );
    if (this.#stopped) return;
    this.#pauseMs = 0;
    for (const [runId, payload] of runs) this.#cache.putRun(runId, payload);
    for (const [taskId, output] of outputs) this.#cache.fillOutput(taskId, output);
    for (const sending of sendings)
      this.#deliver(
        { ...sending, assignments: sending.assignments.filter(this.#isWanted) },
        {
          runOf: (runId) => runs.get(runId),
          outputOf: (taskId) => outputs.get(taskId),
          errorOf: (taskId) => errors.get(taskId),
          inputOf: (taskId) => inputs.get(taskId),
        },
      );
  }

  #failed(sendings: readonly Sending[], error: unknown): void {
    if (this.#stopped) return;
    this.#waiting = [...sendings, ...this.#waiting];
    const isFirst = this.#pauseMs === 0;
    this.#pauseMs = isFirst ? firstPauseMs : Math.min(this.#pauseMs * 2, longestPauseMs);
    this.#log[isFirst ? 'warn' : 'debug'](
      { err: error, waiting: this.#waiting.length },
      'payloads could not be read; their attempts wait, and it is tried again',
    );
    this.#pause ??= this.#host.setTimeout(() => {
      this.#pause = undefined;
      this.#next();
    }, this.#pauseMs);
  }
}
