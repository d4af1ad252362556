import { connectivityState, status, type ClientReadableStream } from '@grpc/grpc-js';
import { SDKS, type AssignedAction, type WorkerRegisterRequest } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { backoffMs, pause, type Backoff } from '../../link/backoff.ts';
import { detailsOf, isServiceError, isTransient, statusOf, toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { NotOfferedError } from '../../link/engine-link.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';
import { asError } from '../errors.ts';
import type { Logger } from '../logger.ts';

const backoff: Backoff = { firstMs: 100, longestMs: 5_000 };

/** A token that is refused for this long is wrong; for a moment it may be an engine that is starting. */
const refusedForMs = 30_000;

export interface SessionEvents {
  onRegistered(workerId: string): void;
  onAction(action: AssignedAction): void;
}

/** What the worker says of itself. */
export type Registration = Pick<WorkerRegisterRequest, 'workerName' | 'actions' | 'slotConfig' | 'labels'>;

/** A worker's place at the engine: it registers once, and keeps its stream open for as long as it runs. */
export class Session {
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #events: SessionEvents;
  readonly #closing = new AbortController();
  #workerId: string | undefined;
  #registeredOnce = false;
  #stream: ClientReadableStream<AssignedAction> | undefined;
  /** While its tasks come by the link. */
  #detach: (() => void) | undefined;
  #end: () => void = () => undefined;

  constructor(connection: Connection, logger: Logger, events: SessionEvents) {
    this.#connection = connection;
    this.#logger = logger;
    this.#events = events;
  }

  get workerId(): string | undefined {
    return this.#workerId;
  }

  /** Whether tasks can reach it. Not by the stream's first word: a Hatchet cluster says nothing on it before the first task. */
  get isListening(): boolean {
    if (this.#detach !== undefined) return this.#connection.link.isOpen;
    return (
      this.#stream !== undefined &&
      this.#connection.dispatcher.getChannel().getConnectivityState(false) === connectivityState.READY
    );
  }

  /**
   * Resolves once the session was closed. It comes back after every break under the same id, and registers anew only
   * where the engine does not know the worker.
   * @throws HatchetError UNAUTHENTICATED, NOT_SUPPORTED, or UNREACHABLE before it was ever registered
   */
  async run(registration: () => Registration): Promise<void> {
    let failures = 0;
    let refusedSince: number | undefined;
    while (!this.#closing.signal.aborted) {
      const workerId = this.#workerId ?? (await this.#register(registration));
      if (workerId === undefined) continue;
      const { error, heard } = await this.#listen(workerId);
      this.#stream = this.#detach = undefined;
      if (this.#closing.signal.aborted) return;
      if (error instanceof NotOfferedError) continue;
      const code = statusOf(error);
      if (code === status.NOT_FOUND) this.forget(workerId);
      refusedSince =
        code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED
          ? (refusedSince ?? performance.now())
          : undefined;
      if (
        code === status.UNIMPLEMENTED ||
        (refusedSince !== undefined && performance.now() - refusedSince > refusedForMs)
      )
        throw toHatchetError(error, 'listen for tasks');
      failures = heard ? 0 : failures + 1;
      if (failures <= 1) await this.#warnAway(error);
      await pause(backoffMs(backoff, failures, Math.random()), this.#closing.signal);
    }
  }

  /** The engine does not know this id: the next thing is to register again. */
  forget(workerId: string): void {
    if (this.#workerId !== workerId) return;
    this.#workerId = undefined;
    this.#stream?.cancel();
    this.#end();
  }

  /** Ends the stream; `run` resolves. The id stays valid for reports. */
  close(): void {
    this.#closing.abort();
    this.#stream?.cancel();
    this.#end();
  }

  /** `undefined` where it has to be tried again: a worker that was registered once does not give up. */
  async #register(registration: () => Registration): Promise<string | undefined> {
    const { dispatcher } = this.#connection;
    const request: WorkerRegisterRequest = {
      ...registration(),
      services: ['default'],
      runtimeInfo: {
        language: SDKS.TYPESCRIPT,
        languageVersion: process.version,
        os: process.platform,
        extra: 'hatchet-ts',
      },
    };
    try {
      // Repeated although it has no identity: a worker row that nobody listens for gets no tasks and ages away.
      const { workerId } = await callUnary(this.#connection, dispatcher.register.bind(dispatcher), request, {
        repeatForMs,
        signal: this.#closing.signal,
      });
      this.#workerId = workerId;
      this.#registeredOnce = true;
      this.#events.onRegistered(workerId);
      return workerId;
    } catch (error) {
      if (this.#closing.signal.aborted || (this.#registeredOnce && isTransient(error))) return undefined;
      throw toHatchetError(error, 'register the worker');
    }
  }

  async #warnAway(error: unknown): Promise<void> {
    await this.#logger.warn(
      'the engine is away; running tasks go on, and the worker connects again',
      isServiceError(error) ? new Error(detailsOf(error), { cause: error }) : asError(error),
    );
  }

  #listen(workerId: string): Promise<{ error: Error | undefined; heard: boolean }> {
    return this.#connection.link.isOffered === false ? this.#listenByContract(workerId) : this.#listenByLink(workerId);
  }

  /** The link comes back by itself after a cut, and the worker with it. */
  async #listenByLink(workerId: string): Promise<{ error: Error | undefined; heard: boolean }> {
    let heard = false;
    return await new Promise((resolve) => {
      const detach = this.#connection.link.attach(workerId, {
        onAction: (action) => {
          heard = true;
          this.#events.onAction(action);
        },
        onCut: (error) => {
          if (!this.#closing.signal.aborted) void this.#warnAway(error);
        },
        onEnded: (error) => resolve({ error: asError(error), heard }),
      });
      this.#detach = detach;
      this.#end = () => {
        detach();
        resolve({ error: undefined, heard });
      };
    });
  }

  async #listenByContract(workerId: string): Promise<{ error: Error | undefined; heard: boolean }> {
    const stream = this.#connection.dispatcher.listenV2({ workerId }, this.#connection.metadata());
    this.#stream = stream;
    let heard = false;
    return await new Promise((resolve) => {
      stream.on('metadata', () => {
        heard = true;
      });
      stream.on('data', (action: AssignedAction) => {
        heard = true;
        this.#events.onAction(action);
      });
      stream.on('end', () => resolve({ error: undefined, heard }));
      stream.on('error', (error: unknown) => resolve({ error: asError(error), heard }));
    });
  }
}
