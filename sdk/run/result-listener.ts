import { setMaxListeners } from 'node:events';
import { status, type ClientDuplexStream } from '@grpc/grpc-js';
import type { SubscribeToWorkflowRunsRequest, WorkflowRunEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { backoffMs, pause, type Backoff } from '../../link/backoff.ts';
import { statusOf, toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { NotOfferedError } from '../../link/engine-link.ts';
import { tlsMismatch } from '../connection/tls-mismatch.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';
import { HatchetError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { fromDetails, fromResults, type TaskOutcome } from './run-outcome.ts';
import { SilentRuns } from './silent-runs.ts';

type Stream = ClientDuplexStream<SubscribeToWorkflowRunsRequest, WorkflowRunEvent>;

interface Waiter {
  resolve(tasks: TaskOutcome[]): void;
  reject(error: Error): void;
}

const backoff: Backoff = { firstMs: 100, longestMs: 5_000 };

/** An unused stream is kept for this long; then it ends, so that a program that is done can exit. */
const lingerMs = 200;

/** Statuses after which asking again gives the same answer. */
const final: ReadonlySet<status> = new Set([status.UNAUTHENTICATED, status.PERMISSION_DENIED, status.UNIMPLEMENTED]);

/**
 * Waits for runs to end: by the link, or where the engine has no sessions by one stream for all, opened at the first wait. After a break every open run is asked for again,
 * so that no end is missed; the engine answers at once for runs that ended meanwhile.
 */
export class ResultListener {
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, Set<Waiter>>();
  readonly #silent: SilentRuns;
  readonly #stopping = new AbortController();
  /** By run, ends its wait by the link. */
  readonly #byLink = new Map<string, () => void>();
  #stream: Stream | undefined;
  #reconnecting = false;
  #failures = 0;
  #linger: NodeJS.Timeout | undefined;

  constructor(connection: Connection, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    this.#silent = new SilentRuns(connection, {
      onMissing: (runId) =>
        this.#settle(runId, (waiter) =>
          waiter.reject(
            new HatchetError('UNKNOWN_RUN', `there is no run ${runId}`, {
              remedy: 'Check its id. A cluster gives one to a run that it then refuses; the log of its engine says why',
            }),
          ),
        ),
      onEnded: (runId, details) => {
        const tasks = fromDetails(details);
        if (tasks !== undefined) this.#settle(runId, (waiter) => waiter.resolve(tasks));
      },
    });
    // Every fetch of a large result listens.
    setMaxListeners(0, this.#stopping.signal);
  }

  /**
   * The outcome of every task, once the run has ended.
   * @throws HatchetError UNKNOWN_RUN after some seconds, UNAUTHENTICATED, STOPPED, UNREACHABLE where TLS stands between the two; the signal's reason when it aborts.
   */
  async wait(runId: string, signal?: AbortSignal): Promise<TaskOutcome[]> {
    signal?.throwIfAborted();
    if (this.#stopping.signal.aborted) throw stopped();
    return await new Promise<TaskOutcome[]>((resolve, reject) => {
      const abort = (): void => {
        this.#forget(runId, waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        resolve: (tasks) => {
          signal?.removeEventListener('abort', abort);
          resolve(tasks);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      const waiters = this.#waiting.get(runId);
      if (waiters === undefined) this.#waiting.set(runId, new Set([waiter]));
      else waiters.add(waiter);
      this.#silent.add(runId);
      this.#ask(runId);
    });
  }

  /** Ends the stream; open waits are rejected. */
  stop(): void {
    this.#stopping.abort();
    clearTimeout(this.#linger);
    this.#closeStream();
    this.#rejectAll(stopped());
  }

  #ask(runId: string): void {
    const { link } = this.#connection;
    if (link.isOffered === false) return this.#askByStream(runId);
    if (this.#byLink.has(runId)) return;
    this.#byLink.set(
      runId,
      link.awaitRun(runId, {
        onEnded: (event) => {
          this.#byLink.delete(runId);
          void this.#finished(event);
        },
        onLost: (error) => {
          this.#byLink.delete(runId);
          if (!this.#waiting.has(runId)) return;
          if (error instanceof NotOfferedError) this.#askByStream(runId);
          else this.#settle(runId, (waiter) => waiter.reject(toHatchetError(error, 'wait for the run')));
        },
      }),
    );
  }

  #askByStream(runId: string): void {
    clearTimeout(this.#linger);
    if (this.#stream !== undefined) this.#stream.write({ workflowRunId: runId });
    else if (!this.#reconnecting) this.#connect();
  }

  #connect(): void {
    const stream = this.#connection.dispatcher.subscribeToWorkflowRuns(this.#connection.metadata());
    this.#stream = stream;
    stream.on('data', (event: WorkflowRunEvent) => {
      this.#failures = 0;
      this.#connection.hasAnswered = true;
      void this.#finished(event);
    });
    stream.on('error', (error: Error) => void this.#broken(stream, error));
    stream.on('end', () => void this.#broken(stream, undefined));
    for (const runId of this.#waiting.keys()) stream.write({ workflowRunId: runId });
  }

  async #broken(stream: Stream, error: Error | undefined): Promise<void> {
    if (stream !== this.#stream) return;
    this.#closeStream();
    const code = statusOf(error);
    if (code !== undefined && final.has(code)) this.#rejectAll(toHatchetError(error, 'wait for the run'));
    if (this.#waiting.size === 0) return;
    this.#reconnecting = true;
    const mismatch = await tlsMismatch(this.#connection, error);
    if (mismatch !== undefined) this.#rejectAll(mismatch);
    if (this.#failures === 0)
      void this.#logger.debug(`the results stream ended (${error?.message ?? 'closed'}); connecting again`);
    await pause(backoffMs(backoff, this.#failures, Math.random()), this.#stopping.signal);
    this.#failures += 1;
    this.#reconnecting = false;
    if (this.#waiting.size > 0 && !this.#stopping.signal.aborted) this.#connect();
  }

  async #finished(event: WorkflowRunEvent): Promise<void> {
    const runId = event.workflowRunId;
    if (!this.#waiting.has(runId)) return;
    try {
      const tasks = event.results.length > 0 ? fromResults(event.results) : await this.#fetchDetails(runId);
      if (tasks === undefined) this.#ask(runId);
      else this.#settle(runId, (waiter) => waiter.resolve(tasks));
    } catch (error) {
      this.#settle(runId, (waiter) =>
        waiter.reject(toHatchetError(error, `read the results of the run ${runId}`, 'UNKNOWN_RUN')),
      );
    }
  }

  /** Results of more than 3 MiB do not travel in the stream: its list is empty then. */
  async #fetchDetails(runId: string): Promise<TaskOutcome[] | undefined> {
    const { admin } = this.#connection;
    return fromDetails(
      await callUnary(
        this.#connection,
        admin.getRunDetails.bind(admin),
        { externalId: runId },
        { repeatForMs, timeoutMs: 60_000, signal: this.#stopping.signal },
      ),
    );
  }

  #settle(runId: string, end: (waiter: Waiter) => void): void {
    const waiters = this.#waiting.get(runId);
    this.#waiting.delete(runId);
    this.#leave(runId);
    for (const waiter of waiters ?? []) end(waiter);
    this.#lingerIfIdle();
  }

  #forget(runId: string, waiter: Waiter): void {
    const waiters = this.#waiting.get(runId);
    waiters?.delete(waiter);
    if (waiters?.size === 0) {
      this.#waiting.delete(runId);
      this.#leave(runId);
    }
    this.#lingerIfIdle();
  }

  /** Nobody waits for it any more. */
  #leave(runId: string): void {
    this.#silent.remove(runId);
    this.#byLink.get(runId)?.();
    this.#byLink.delete(runId);
  }

  #rejectAll(error: Error): void {
    for (const runId of this.#waiting.keys()) this.#settle(runId, (waiter) => waiter.reject(error));
  }

  #lingerIfIdle(): void {
    if (this.#waiting.size > 0 || this.#stream === undefined) return;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => {
      if (this.#waiting.size === 0) this.#closeStream();
    }, lingerMs);
  }

  #closeStream(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined) return;
    // A cancelled call still reports its end as an error, to which nobody listens any more.
    stream.removeAllListeners();
    stream.on('error', () => {});
    stream.cancel();
  }
}

function stopped(): HatchetError {
  return new HatchetError('STOPPED', 'the client was closed while it waited for the run');
}
