import { status, type ClientDuplexStream } from '@grpc/grpc-js';
import type { DurableEventLogEntryRef, DurableTaskRequest, DurableTaskResponse } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { backoffMs, pause, type Backoff } from '../connection/backoff.ts';
import { statusOf } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { HatchetError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { DurableMessage, DurableRequest, Invocation } from './invocation.ts';
import { statusMessages } from './worker-status.ts';

type Stream = ClientDuplexStream<DurableTaskRequest, DurableTaskResponse>;

const backoff: Backoff = { firstMs: 100, longestMs: 5_000 };

/** What is satisfied already is told again where it is said to be waited for. */
const statusIntervalMs = 1_000;

/** An invocation that left, until the engine has said that it knows. */
interface Departure {
  readonly taskRunExternalId: string;
  readonly invocationCount: number;
  readonly reason: string;
  /** What it waited for. */
  readonly waits: readonly DurableEventLogEntryRef[];
  /** Whether it must start again although it may wait for nothing: it cannot know what the engine took of its requests. */
  readonly restore: boolean;
}

/**
 * The worker's durable stream: what invocations ask goes out in their order, answers and results come in. It comes back
 * after every break. An invocation that only waits does not notice; one whose requests were on their way then cannot know
 * whether they were taken, so it leaves, and starts again from its log.
 */
export class DurableLink {
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #onDismissed: (invocation: Invocation) => void;
  readonly #invocations = new Map<string, Invocation>();
  readonly #departures = new Map<string, Departure>();
  /** Invocations that wait for something that the engine was not told of. */
  readonly #unsaid = new Set<Invocation>();
  readonly #stopping = new AbortController();
  #workerId: string | undefined;
  #stream: Stream | undefined;
  /** The engine knows whose stream it is. */
  #ready = false;
  #failures = 0;
  #reconnecting = false;
  #timer: NodeJS.Timeout | undefined;
  #saying: NodeJS.Immediate | undefined;
  /** Tasks that left and are to start again at once, until they are. */
  #restoring = 0;
  #onDeparted: (() => void)[] = [];

  /** @param onDismissed the engine says that the invocation is not the one that counts, or it cannot go on */
  constructor(connection: Connection, logger: Logger, onDismissed: (invocation: Invocation) => void) {
    this.#connection = connection;
    this.#logger = logger;
    this.#onDismissed = onDismissed;
  }

  /** Opens the stream for a worker that was registered, or was registered again under another id. */
  serve(workerId: string): void {
    if (this.#workerId === workerId) return;
    this.#workerId = workerId;
    const old = this.#stream;
    if (old !== undefined) this.#lose(old, undefined);
    else if (!this.#reconnecting) this.#connect();
    this.#timer ??= setInterval(() => this.#sayAll(), statusIntervalMs).unref();
  }

  add(invocation: Invocation): void {
    this.#invocations.set(keyOf(invocation), invocation);
  }

  remove(invocation: Invocation): void {
    if (this.#invocations.get(keyOf(invocation)) === invocation) this.#invocations.delete(keyOf(invocation));
    this.#unsaid.delete(invocation);
  }

  /** Sends what the invocation has asked for, or keeps it until there is a stream. */
  flush(invocation: Invocation): void {
    if (!this.#ready) return;
    for (const request of invocation.takeUnsent()) this.#send(request);
  }

  /** The value of a memo; where it cannot go now, or gets lost, the invocation has it until it is confirmed. */
  complete(completion: DurableRequest): void {
    if (this.#ready) this.#send(completion);
  }

  /**
   * Once a macrotask, and not while answers are to come: an invocation often begins many waits at once, and all of them
   * would be said again with each. The engine counts what was asked for last by itself.
   */
  saySoon(invocation: Invocation): void {
    this.#unsaid.add(invocation);
    this.#saying ??= setImmediate(() => {
      this.#saying = undefined;
      const due = [...this.#unsaid].filter((each) => !each.hasUnanswered);
      for (const each of due) this.#unsaid.delete(each);
      this.#say(due.map((each) => each.waitsFor()));
    });
  }

  /** Tells the engine that the invocation has left, as often as it takes. */
  depart(invocation: Invocation, reason: string, restore = false): void {
    this.remove(invocation);
    const { taskRunExternalId, invocationCount } = invocation;
    const departure = { taskRunExternalId, invocationCount, reason, waits: invocation.waitsFor(), restore };
    this.#departures.set(keyOf(invocation), departure);
    if (this.#ready) this.#sendDepartures([departure]);
  }

  /** Resolves when the engine knows of all that have left, and those that are to start again at once can. */
  async departed(): Promise<void> {
    if (this.#departures.size + this.#restoring > 0) await new Promise<void>((resolve) => this.#onDeparted.push(resolve));
  }

  stop(): void {
    this.#stopping.abort();
    clearInterval(this.#timer);
    clearImmediate(this.#saying);
    this.#ready = false;
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream !== undefined) discard(stream);
  }

  #connect(): void {
    const workerId = this.#workerId;
    if (workerId === undefined || this.#stopping.signal.aborted) return;
    const stream = this.#connection.durable.durableTask(this.#connection.metadata({ 'hatchet-results-in-any-order': '1' }));
    this.#stream = stream;
    stream.on('data', ({ message }: DurableTaskResponse) => {
      if (stream === this.#stream && message !== undefined) this.#take(message);
    });
    stream.on('error', (error: Error) => this.#lose(stream, error));
    stream.on('end', () => this.#lose(stream, undefined));
    this.#send({ $case: 'registerWorker', value: { workerId } });
  }

  #lose(stream: Stream, error: Error | undefined): void {
    if (stream !== this.#stream) return;
    this.#stream = undefined;
    this.#ready = false;
    discard(stream);
    const invocations = [...this.#invocations.values()];
    if (statusOf(error) === status.UNIMPLEMENTED) {
      for (const invocation of invocations) invocation.failUnanswered(new HatchetError('NOT_SUPPORTED', 'the engine has no durable tasks', { remedy: 'Use a newer engine' }));
    }
    for (const invocation of invocations) if (invocation.hasUnanswered) this.#abandon(invocation);
    void this.#reconnect(error);
  }

  async #reconnect(error: Error | undefined): Promise<void> {
    if (this.#reconnecting || this.#stopping.signal.aborted) return;
    if (this.#failures === 0) void this.#logger.debug(`the durable stream ended (${error?.message ?? 'closed'}); connecting again`);
    this.#reconnecting = true;
    await pause(backoffMs(backoff, this.#failures, Math.random()), this.#stopping.signal);
    this.#reconnecting = false;
    this.#failures += 1;
    this.#connect();
  }

  #abandon(invocation: Invocation): void {
    this.depart(invocation, 'the connection was lost with requests on their way; the task starts again from its log', true);
    this.#onDismissed(invocation);
  }

  #take(message: DurableMessage): void {
    switch (message.$case) {
      case 'registerWorker':
        return this.#begin();
      case 'waitForAck':
      case 'memoAck':
        return this.#find(message.value.ref)?.take(message);
      case 'triggerRunsAck':
        return this.#find(message.value)?.take(message);
      case 'entryCompleted':
        return this.#find(message.value.ref)?.complete(message.value);
      case 'error':
        return this.#find(message.value.ref)?.refuse(message.value);
      case 'serverEvict':
        return this.#dismiss(this.#find(message.value), message.value.reason);
      case 'evictionAck':
        return this.#departureKnown(keyOf({ taskRunExternalId: message.value.durableTaskExternalId, invocationCount: message.value.invocationCount }));
    }
  }

  #begin(): void {
    this.#ready = true;
    this.#failures = 0;
    // First: what was told on the old stream may be lost, and nothing is told to a task before it is named.
    this.#sayAll();
    this.#sendDepartures([...this.#departures.values()]);
    for (const invocation of this.#invocations.values()) this.flush(invocation);
  }

  #dismiss(invocation: Invocation | undefined, reason: string): void {
    if (invocation === undefined) return;
    void this.#logger.debug(`invocation ${invocation.invocationCount} of the durable task ${invocation.taskRunExternalId} is dropped: ${reason}`);
    this.remove(invocation);
    this.#onDismissed(invocation);
  }

  /** Behind what they waited for: whether something of that is there already decides whether their tasks go on at once. */
  #sendDepartures(departures: readonly Departure[]): void {
    this.#say(departures.map(({ waits }) => waits));
    for (const { taskRunExternalId, invocationCount, reason } of departures) {
      this.#send({ $case: 'evictInvocation', value: { durableTaskExternalId: taskRunExternalId, invocationCount, reason } });
    }
  }

  #departureKnown(key: string): void {
    const departure = this.#departures.get(key);
    if (departure === undefined) return;
    this.#departures.delete(key);
    if (departure.restore) {
      this.#restoring += 1;
      void this.#restore(departure).finally(() => {
        this.#restoring -= 1;
        this.#tellDeparted();
      });
    }
    this.#tellDeparted();
  }

  #tellDeparted(): void {
    if (this.#departures.size + this.#restoring === 0) for (const resolve of this.#onDeparted.splice(0)) resolve();
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
        if (!again) return void this.#logger.debug(`the durable task ${taskRunExternalId} was not restored: ${String(error)}`);
        await pause(backoffMs(backoff, tries, Math.random()), this.#stopping.signal);
      }
    }
  }

  #sayAll(): void {
    const invocations = [...this.#invocations.values()];
    this.#say(invocations.map((each) => each.waitsFor()));
    if (this.#ready) for (const invocation of invocations) for (const completion of invocation.unconfirmed()) this.#send(completion);
  }

  #say(waits: readonly (readonly DurableEventLogEntryRef[])[]): void {
    const workerId = this.#workerId;
    if (!this.#ready || workerId === undefined) return;
    for (const waitingEntries of statusMessages(waits)) this.#send({ $case: 'workerStatus', value: { workerId, waitingEntries } });
  }

  #find(ref: { durableTaskExternalId: string; invocationCount: number } | undefined): Invocation | undefined {
    return ref === undefined ? undefined : this.#invocations.get(keyOf({ taskRunExternalId: ref.durableTaskExternalId, invocationCount: ref.invocationCount }));
  }

  #send(message: DurableRequest): void {
    this.#stream?.write({ message });
  }
}

function keyOf({ taskRunExternalId, invocationCount }: { taskRunExternalId: string; invocationCount: number }): string {
  return `${taskRunExternalId} ${invocationCount}`;
}

/** A cancelled call still reports its end as an error, to which nobody listens any more. */
function discard(stream: Stream): void {
  stream.removeAllListeners();
  stream.on('error', () => {});
  stream.cancel();
}
