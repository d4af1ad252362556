import { setMaxListeners } from 'node:events';
import { status } from '@grpc/grpc-js';
import type { DurableEventLogEntryRef } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { backoffMs, pause, type Backoff } from '../../link/backoff.ts';
import { statusOf } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { contractOnly, type EngineOffers } from '../connection/engine-offers.ts';
import { callRest } from '../connection/rest.ts';
import { NotOfferedError } from '../../link/engine-link.ts';
import { asError, HatchetError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { EvictedInvocations, keyOf, type Departure } from './evicted-invocations.ts';
import type { Invocation } from './invocation.ts';
import { MissingChildren } from './missing-children.ts';
import { openOperations, type OperationStream } from './operation-stream.ts';
import type { DurableMessage, DurableRequest } from './unanswered-requests.ts';
import { statusMessages } from './worker-status.ts';

const backoff: Backoff = { firstMs: 100, longestMs: 5_000 };

/** What is satisfied already is told again where it is said to be waited for. */
const statusIntervalMs = 1_000;

/** A cluster takes some milliseconds to store a memo; whether it has is asked again after twice as long each time. */
const firstConfirmMs = 10;

/** So long after an invocation has begun to wait, a cluster is told. */
const sayLaterMs = 25;

/**
 * The worker's durable stream: what invocations ask goes out in their order, answers and results come in. It comes back
 * after every break. An invocation that only waits does not notice; one whose requests were on their way then cannot know
 * whether they were taken, so it leaves, and starts again from its log.
 */
export class DurableLink {
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #onDismissed: (invocation: Invocation, failure?: HatchetError) => void;
  readonly #invocations = new Map<string, Invocation>();
  readonly #departures = new EvictedInvocations(async (departure) => await this.#restore(departure));
  /** Invocations that wait for something that the engine was not told of. */
  readonly #unsaid = new Set<Invocation>();
  /** Those that were here when the stream began, and have said nothing on it: they are told nothing before they do. */
  readonly #muted = new Set<Invocation>();
  readonly #stopping = new AbortController();
  #workerId: string | undefined;
  #stream: OperationStream | undefined;
  /** The engine knows whose stream it is, and can be reached by it. */
  #ready = false;
  /** The engine knows whose stream it is. */
  #isBegun = false;
  #offers: EngineOffers | undefined;
  #onOffered: ((offers: EngineOffers) => void)[] = [];
  readonly #missingChildren: MissingChildren;
  /** Invocations whose memos are asked for until the engine has them. */
  readonly #confirming = new Set<Invocation>();
  #failures = 0;
  #reconnecting = false;
  #timer: NodeJS.Timeout | undefined;
  #saying: NodeJS.Immediate | undefined;
  #sayingLater: NodeJS.Timeout | undefined;

  /** @param onDismissed the engine says that the invocation is not the one that counts, or it cannot go on: with a failure where its attempt ends by it */
  constructor(
    connection: Connection,
    logger: Logger,
    onDismissed: (invocation: Invocation, failure?: HatchetError) => void,
  ) {
    this.#connection = connection;
    this.#logger = logger;
    this.#onDismissed = onDismissed;
    this.#missingChildren = new MissingChildren(connection);
    setMaxListeners(0, this.#stopping.signal); // every task that is to start again listens while it is tried
  }

  /** Opens the stream for a worker that was registered, or was registered again under another id. */
  serve(workerId: string): void {
    if (this.#workerId === workerId) return;
    this.#workerId = workerId;
    const old = this.#stream;
    if (old !== undefined) {
      old.end();
      this.#lose(old, undefined);
    } else if (!this.#reconnecting) this.#connect();
    this.#timer ??= setInterval(() => this.#tick(), statusIntervalMs).unref();
  }

  /** What the engine behind the stream offers, of the last one where there is none at the moment; undefined before the first. */
  get offers(): EngineOffers | undefined {
    return this.#offers;
  }

  /** Resolves once that is known; with nothing where the signal aborts before. */
  async offered(signal: AbortSignal): Promise<EngineOffers> {
    if (this.#offers !== undefined) return this.#offers;
    return await new Promise((resolve) => {
      this.#onOffered.push(resolve);
      signal.addEventListener('abort', () => resolve(contractOnly), { once: true });
    });
  }

  add(invocation: Invocation): void {
    this.#invocations.set(keyOf(invocation), invocation);
  }

  remove(invocation: Invocation): void {
    if (this.#invocations.get(keyOf(invocation)) === invocation) this.#invocations.delete(keyOf(invocation));
    this.#unsaid.delete(invocation);
    this.#muted.delete(invocation);
  }

  /** Sends what the invocation has asked for, or keeps it until there is a stream. */
  flush(invocation: Invocation): void {
    if (!this.#ready || invocation.pipelined !== this.#offers?.pipelinedRequests) return;
    for (const request of invocation.takeUnsent()) {
      this.#muted.delete(invocation);
      this.#send(request);
    }
  }

  /** The value of a memo; where it cannot go now, or gets lost, the invocation has it until it is confirmed. */
  complete(completion: DurableRequest): void {
    if (this.#ready) this.#send(completion);
  }

  /**
   * What an invocation has begun to wait for. An engine that takes up requests in their order knows it by what it has answered: it is
   * told where that was on the stream before, and every second. Once a macrotask, and not while answers are to come: an invocation
   * often begins many waits at once, and all of them would be said again with each. A cluster has to be told of all. It costs it
   * queries, and what it brings is rarely needed: there it goes later, for all together.
   */
  saySoon(invocation: Invocation): void {
    if (invocation.pipelined) {
      if (!this.#muted.has(invocation)) return;
      this.#unsaid.add(invocation);
      this.#saying ??= setImmediate(() => this.#sayUnsaid());
      return;
    }
    this.#unsaid.add(invocation);
    this.#confirm(invocation, firstConfirmMs);
    this.#sayingLater ??= setTimeout(() => this.#sayUnsaid(), sayLaterMs).unref();
  }

  #sayUnsaid(): void {
    this.#saying = this.#sayingLater = undefined;
    const due = [...this.#unsaid].filter((each) => !each.hasUnanswered);
    for (const each of due) {
      this.#unsaid.delete(each);
      this.#muted.delete(each);
    }
    this.#say(due.map((each) => each.waitsFor()));
  }

  #confirm(invocation: Invocation, afterMs: number): void {
    if (this.#confirming.has(invocation) || invocation.unconfirmed().length === 0) return;
    this.#confirming.add(invocation);
    setTimeout(() => {
      this.#confirming.delete(invocation);
      if (this.#invocations.get(keyOf(invocation)) !== invocation) return;
      this.#say([
        invocation
          .unconfirmed()
          .flatMap((request) => (request.$case === 'completeMemo' ? (request.value.ref ?? []) : [])),
      ]);
      this.#confirm(invocation, Math.min(afterMs * 2, statusIntervalMs));
    }, afterMs).unref();
  }

  /** Tells the engine that the invocation has left, as often as it takes. */
  depart(invocation: Invocation, reason: string, restore = false): void {
    this.remove(invocation);
    const { taskRunExternalId, invocationCount } = invocation;
    const departure = { taskRunExternalId, invocationCount, reason, waits: invocation.waitsFor(), restore };
    this.#departures.add(departure);
    if (this.#ready) this.#sendDepartures([departure]);
  }

  /** Resolves when the engine knows of all that have left, and those that are to start again at once can. */
  async departed(): Promise<void> {
    await this.#departures.departed();
  }

  stop(): void {
    this.#stopping.abort();
    clearInterval(this.#timer);
    clearImmediate(this.#saying);
    clearTimeout(this.#sayingLater);
    this.#ready = this.#isBegun = false;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.end();
  }

  #connect(): void {
    const workerId = this.#workerId;
    if (workerId === undefined || this.#stopping.signal.aborted) return;
    const isThis = (): boolean => this.#stream === stream;
    const stream = openOperations(this.#connection, workerId, {
      onMessage: (message) => {
        if (!isThis()) return;
        if (message.$case === 'registerWorker') this.#begin(stream.offers);
        else this.#take(message);
      },
      onCut: () => {
        if (isThis()) this.#ready = false;
      },
      onResumed: () => {
        if (isThis()) this.#resume();
      },
      onLost: (error) => this.#lose(stream, error),
    });
    this.#stream = stream;
    this.#send({ $case: 'registerWorker', value: { workerId } });
  }

  #lose(stream: OperationStream, error: unknown): void {
    if (stream !== this.#stream) return;
    this.#stream = undefined;
    this.#ready = this.#isBegun = false;
    const invocations = [...this.#invocations.values()];
    if (statusOf(error) === status.UNIMPLEMENTED) {
      this.#hear(contractOnly);
      for (const invocation of invocations)
        invocation.failUnanswered(
          new HatchetError('NOT_SUPPORTED', 'the engine has no durable tasks', { remedy: 'Use a newer engine' }),
        );
    }
    for (const invocation of invocations)
      if (!invocation.outlivesStream) this.#abandon(invocation, 'the connection was lost with requests on their way');
    if (error instanceof NotOfferedError && !this.#reconnecting) return this.#connect();
    void this.#reconnect(error);
  }

  async #reconnect(error: unknown): Promise<void> {
    if (this.#reconnecting || this.#stopping.signal.aborted) return;
    if (this.#failures === 0)
      void this.#logger.debug(
        `the durable stream ended (${error === undefined ? 'closed' : asError(error).message}); connecting again`,
      );
    this.#reconnecting = true;
    await pause(backoffMs(backoff, this.#failures, Math.random()), this.#stopping.signal);
    this.#reconnecting = false;
    this.#failures += 1;
    this.#connect();
  }

  #abandon(invocation: Invocation, reason: string): void {
    if (!invocation.canLeave) {
      this.remove(invocation);
      return this.#onDismissed(
        invocation,
        new HatchetError('NO_ANSWER', `the durable task ${invocation.taskRunExternalId} cannot go on: ${reason}`, {
          remedy:
            'It does so where it has retries left: this engine starts a task again from its log in its first attempt alone',
        }),
      );
    }
    this.depart(invocation, `${reason}; the task starts again from its log`, true);
    this.#onDismissed(invocation);
  }

  #take(message: Exclude<DurableMessage, { $case: 'registerWorker' }>): void {
    switch (message.$case) {
      case 'waitForAck':
      case 'memoAck':
        return this.#find(message.value.ref)?.take(message);
      case 'triggerRunsAck':
        return this.#find(message.value)?.take(message);
      case 'entryCompleted': {
        const invocation = this.#find(message.value.ref);
        if (invocation === undefined) this.#departures.result(keyOfRef(message.value.ref));
        return invocation?.complete(message.value);
      }
      case 'error': {
        const invocation = this.#find(message.value.ref);
        if (invocation === undefined) this.#departures.refused(keyOfRef(message.value.ref));
        return invocation?.refuse(message.value);
      }
      case 'serverEvict':
        this.#departures.forget(keyOfRef(message.value));
        return this.#dismiss(this.#find(message.value), message.value.reason);
      case 'evictionAck':
        return this.#departureKnown(keyOfRef(message.value));
    }
  }

  #begin(offers: EngineOffers): void {
    this.#ready = this.#isBegun = true;
    this.#failures = 0;
    this.#hear(offers);
    // First: what was told on the old stream may be lost, and nothing is told to a task before it is named.
    for (const invocation of this.#invocations.values()) this.#muted.add(invocation);
    this.#sayAll();
    if (offers.pipelinedRequests) this.#sendDepartures(this.#departures.pending);
    else {
      // A cluster lets go of whoever has the task by now.
      this.#say(this.#departures.pending.map(({ waits }) => waits));
      this.#departures.tellAgain();
    }
    for (const invocation of this.#invocations.values()) {
      if (invocation.pipelined === offers.pipelinedRequests) this.flush(invocation);
      else this.#abandon(invocation, 'another engine has taken over');
    }
  }

  /** The engine can be reached again, and knows all that was said before. */
  #resume(): void {
    if (!this.#isBegun) return;
    this.#ready = true;
    this.#sayAll();
    this.#sendDepartures(this.#departures.pending);
    for (const invocation of this.#invocations.values()) this.flush(invocation);
  }

  #hear(offers: EngineOffers): void {
    this.#offers = offers;
    for (const resolve of this.#onOffered.splice(0)) resolve(offers);
  }

  #dismiss(invocation: Invocation | undefined, reason: string): void {
    if (invocation === undefined) return;
    void this.#logger.debug(
      `invocation ${invocation.invocationCount} of the durable task ${invocation.taskRunExternalId} is dropped: ${reason}`,
    );
    this.remove(invocation);
    this.#onDismissed(invocation);
  }

  /** Behind what they waited for: whether something of that is there already decides whether their tasks go on at once. A cluster says so only where it is asked afterwards. */
  #sendDepartures(departures: readonly Departure[]): void {
    if (this.#offers?.pipelinedRequests === true) this.#say(departures.map(({ waits }) => waits));
    for (const { taskRunExternalId, invocationCount, reason } of departures) {
      this.#send({
        $case: 'evictInvocation',
        value: { durableTaskExternalId: taskRunExternalId, invocationCount, reason },
      });
    }
  }

  #departureKnown(key: string): void {
    const mayBeLost = this.#offers?.evictions !== true;
    this.#departures.known(key, mayBeLost);
    if (mayBeLost) this.#say(this.#departures.due());
  }

  /** Tried until the engine has answered: nothing else may ever wake the task. */
  async #restore({ taskRunExternalId }: Departure): Promise<void> {
    for (let tries = 0; !this.#stopping.signal.aborted; tries += 1) {
      try {
        await callRest(this.#connection.config, 'POST', `/api/v1/stable/tasks/${taskRunExternalId}/restore`);
        return;
      } catch (error) {
        const again = error instanceof HatchetError && (error.code === 'UNREACHABLE' || error.code === 'ENGINE_ERROR');
        // It has ended, or was given to another worker.
        if (!again)
          return void this.#logger.debug(`the durable task ${taskRunExternalId} was not restored: ${String(error)}`);
        await pause(backoffMs(backoff, tries, Math.random()), this.#stopping.signal);
      }
    }
  }

  #tick(): void {
    const again = this.#departures.tick();
    if (!this.#ready) return;
    this.#sayAll();
    this.#say(this.#departures.due());
    this.#sendDepartures(again);
    for (const invocation of this.#invocations.values()) {
      invocation.tick();
      if (!invocation.pipelined) this.#missingChildren.tick(invocation);
    }
  }

  #sayAll(): void {
    const invocations = [...this.#invocations.values()];
    this.#say(
      invocations.map((each) => {
        const nodes = each.waitsFor();
        if (nodes.length > 0) this.#muted.delete(each);
        return nodes;
      }),
    );
    if (this.#ready)
      for (const invocation of invocations) for (const completion of invocation.unconfirmed()) this.#send(completion);
  }

  #say(waits: readonly (readonly DurableEventLogEntryRef[])[]): void {
    const workerId = this.#workerId;
    if (!this.#ready || workerId === undefined) return;
    for (const waitingEntries of statusMessages(waits))
      this.#send({ $case: 'workerStatus', value: { workerId, waitingEntries } });
  }

  #find(ref: Ref | undefined): Invocation | undefined {
    return ref === undefined ? undefined : this.#invocations.get(keyOfRef(ref));
  }

  #send(message: DurableRequest): void {
    this.#stream?.send(message);
  }
}

interface Ref {
  durableTaskExternalId: string;
  invocationCount: number;
}

function keyOfRef(ref: Ref | undefined): string {
  return ref === undefined
    ? ''
    : keyOf({ taskRunExternalId: ref.durableTaskExternalId, invocationCount: ref.invocationCount });
}
