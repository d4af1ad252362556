import { status } from '@grpc/grpc-js';
import type { AssignedAction, BatchActionEvent } from '../proto/gen/hatchet/contract/dispatcher.ts';
import type { PutStreamEventRequest } from '../proto/gen/hatchet/contract/events.ts';
import type { TriggerWorkflowRequest } from '../proto/gen/hatchet/contract/v1/trigger.ts';
import type { NewLogLine } from '../proto/gen/hatchet/monitor/v1/monitor.ts';
import {
  CommandKind,
  type AttemptCompleted,
  type AttemptFailed,
  type AttemptStarted,
  type ConnectRequest,
  type ConnectResponse,
  type Refusal,
  type Welcome,
} from '../proto/gen/hatchet/session/v1/session.ts';
import { eachTask } from './assigned-task.ts';
import { AwaitedRuns, type RunWaiter } from './awaited-runs.ts';
import { backoffMs, type Backoff } from './backoff.ts';
import { FramesUnderWay, type FrameBounds } from './frames-under-way.ts';
import {
  emptyRequest,
  frameOf,
  markRepeated,
  weightOf,
  whyUnwritable,
  type CommandFacts,
  type LinkAnswer,
  type LinkCommand,
  type LinkFrame,
} from './link-command.ts';
import { thisProcess, type LinkHost, type LinkTimer } from './link-host.ts';
import { LinkQueue } from './link-queue.ts';
import { LinkedDurableStreams, type DurableListener, type LinkedDurableStream } from './linked-durable-streams.ts';
import { serviceError, statusIn, transientStatuses } from './service-error.ts';

/** What a link needs of the program that it is in. */
export interface LinkPorts {
  /** A stream to the engine, with a token. */
  connect(): LinkStream;
  /** The engine has let the link in. */
  welcomed(): void;
  /** Why no other try can succeed after a stream that broke for this; undefined where one may. */
  whyHopeless(error: unknown): Promise<unknown>;
}

export interface LinkOptions {
  /** False where the engine is not to be asked for sessions. */
  isOffered?: false | undefined;
  /** It carries what several programs ask. Default false. */
  isRelay?: boolean;
  /** What it has from the process that it is in. */
  host?: LinkHost;
}

/** Of a stream, what the link needs. */
export interface LinkStream {
  on(event: 'data', listener: (response: ConnectResponse) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  write(request: ConnectRequest): unknown;
  cancel(): void;
  removeAllListeners(): unknown;
}

const backoff: Backoff = { firstMs: 100, longestMs: 2_000 };

/** A link without anything to carry is kept for this long; then its stream ends, so that a program that is done can exit. */
const lingerMs = 200;

/** What was taken in is acknowledged with the next frame, or by itself after this. */
const acknowledgeMs = 50;

/** Between two looks for commands that nobody could be reached for. */
const lookMs = 500;

const carriedOut: LinkAnswer = {};

/** Among what an engine offers: durable streams go by the session. */
const durableSessions = 'durable-sessions';

/** Statuses after which the same stream ends in the same way. */
const final: ReadonlySet<status> = new Set([status.UNAUTHENTICATED, status.PERMISSION_DENIED]);

/** Of a worker whose tasks come by the link. */
export interface AttachedWorker {
  onAction(action: AssignedAction): void;
  /** The link is cut. It comes back by itself. */
  onCut(error: unknown): void;
  /** No task comes any more, unless it is attached again. */
  onEnded(error: unknown): void;
}

/** The engine has no sessions: what goes by a link elsewhere goes by the contract's calls. */
export class NotOfferedError extends Error {}

/**
 * All that goes between this program and an engine of this project: one stream, on which what comes up in one turn of the event
 * loop travels together. After a cut it connects again, and what the engine has not acknowledged is sent again: each command has
 * an identity, so that none is carried out twice.
 */
export class EngineLink {
  readonly #ports: LinkPorts;
  readonly #host: LinkHost;
  readonly #sessionId: string;
  readonly #queue = new LinkQueue();
  readonly #frames = new FramesUnderWay();
  readonly #workers = new Map<string, AttachedWorker>();
  readonly #awaited = new AwaitedRuns();
  readonly #durable = new LinkedDurableStreams({
    post: (workerId, request) => this.#post({ kind: 'durable', workerId, request }),
    left: () => this.#lingerIfIdle(),
  });
  readonly #isRelay: boolean;
  #isOffered: boolean | undefined;
  #stream: LinkStream | undefined;
  /** While a stream is open. */
  #bounds: FrameBounds | undefined;
  /** What the engine has beyond the contract, once it was reached. */
  #offers: string | undefined;
  /** The engine's end of the session, once it is known. */
  #engineId = '';
  #unanswered = 0;
  /** The engine's last frame that was taken in, and the last that it knows of. */
  #taken = 0;
  #acknowledged = 0;
  #failures = 0;
  #lastError: unknown;
  #isFlushing = false;
  #reconnecting: LinkTimer | undefined;
  #linger: LinkTimer | undefined;
  #acknowledging: LinkTimer | undefined;
  #looking: LinkTimer | undefined;
  #isClosed = false;

  constructor(ports: LinkPorts, { isOffered, isRelay = false, host = thisProcess }: LinkOptions = {}) {
    this.#ports = ports;
    this.#host = host;
    this.#sessionId = host.newId();
    this.#isOffered = isOffered;
    this.#isRelay = isRelay;
  }

  /** Whether the engine has sessions; undefined before it was first asked. */
  get isOffered(): boolean | undefined {
    return this.#isOffered;
  }

  /** What the engine has beyond the contract, as its last welcome said; undefined before the first. */
  get offers(): string | undefined {
    return this.#offers;
  }

  /** Whether durable streams go by it; undefined before the engine was first asked. */
  get carriesDurable(): boolean | undefined {
    if (this.#isClosed || this.#isOffered === false) return false;
    return this.#offers?.split(',').includes(durableSessions);
  }

  /** Whether the engine can be reached by it now. */
  get isOpen(): boolean {
    return this.#bounds !== undefined;
  }

  /**
   * Starts a run. Resolves with its id once it is stored.
   * @param options.isRepeated there may be such a run already. Default false
   * @throws ServiceError as the contract's call; NotOfferedError
   */
  async trigger(
    request: TriggerWorkflowRequest,
    options: { runId: string; isAwaited: boolean; patienceMs: number; isRepeated?: boolean },
  ): Promise<string> {
    const { runId, isAwaited, patienceMs, isRepeated = false } = options;
    const facts = { kind: 'trigger', request, runId, isAwaited } as const;
    if (isAwaited) this.#awaited.expect(runId);
    try {
      const { runId: made } = await this.#send(facts, patienceMs, (command) => {
        command.isRepeated = isRepeated;
      });
      if (made === undefined || made === runId) return runId;
      this.#awaited.rename(runId, made);
      return made;
    } catch (error) {
      this.#awaited.unexpect(runId);
      throw error;
    }
  }

  /** Starts runs. @returns in their order, ids or why the run was not started. @throws NotOfferedError, before any was sent */
  async triggerMany(
    triggers: readonly { request: TriggerWorkflowRequest; runId: string }[],
    patienceMs: number,
  ): Promise<(string | { error: unknown })[]> {
    const made: (string | { error: unknown })[] = triggers.map(({ runId }) => runId);
    let left = triggers.length;
    if (left === 0) return made;
    await new Promise<void>((resolve) => {
      for (const [index, { request, runId }] of triggers.entries()) {
        this.#push({ kind: 'trigger', request, runId, isAwaited: false }, patienceMs, (answer) => {
          if ('error' in answer) made[index] = answer;
          else if (answer.runId !== undefined) made[index] = answer.runId;
          if (--left === 0) resolve();
        });
      }
    });
    const [first] = made;
    if (typeof first === 'object' && first.error instanceof NotOfferedError) throw first.error;
    return made;
  }

  /** No promise is made for what is said of an attempt: there is much of it. @param tell an error is a ServiceError or a NotOfferedError */
  started(report: AttemptStarted, patienceMs: number, tell: (answer: LinkAnswer) => void): void {
    this.#push({ kind: 'started', report }, patienceMs, tell);
  }

  /** As `started`. */
  completed(report: AttemptCompleted, patienceMs: number, tell: (answer: LinkAnswer) => void): void {
    this.#push({ kind: 'completed', report }, patienceMs, tell);
  }

  /** As `started`. */
  failed(report: AttemptFailed, patienceMs: number, tell: (answer: LinkAnswer) => void): void {
    this.#push({ kind: 'failed', report }, patienceMs, tell);
  }

  /** Resolves once the engine has it. @throws ServiceError, NotOfferedError */
  async reportedBatch(report: BatchActionEvent, patienceMs: number): Promise<void> {
    await this.#send({ kind: 'batch', report }, patienceMs);
  }

  /** Resolves once the engine has stored it. @throws as `reportedBatch` */
  async streamed(chunk: PutStreamEventRequest, patienceMs: number): Promise<void> {
    await this.#send({ kind: 'chunk', chunk }, patienceMs);
  }

  /**
   * Stores log lines, in their order: as many as a frame may have. Those that have left are sent until the engine has them, since
   * they have no identity: who gives them up and sends them anew may store them twice.
   * @param options patienceMs: until they leave; signal: nobody wants them any more
   * @returns by their places, why lines were not stored
   * @throws as `reportedBatch`
   */
  async logged(
    lines: readonly NewLogLine[],
    { patienceMs, signal }: { patienceMs: number; signal: AbortSignal },
  ): Promise<ReadonlyMap<number, unknown>> {
    signal.throwIfAborted();
    let command: LinkCommand | undefined;
    const forget = (): void => command && this.#forget(command, signal.reason);
    signal.addEventListener('abort', forget);
    try {
      const { refused } = await this.#send({ kind: 'lines', lines }, patienceMs, (made) => (command = made));
      return refused ?? new Map();
    } finally {
      signal.removeEventListener('abort', forget);
    }
  }

  /** Calls back once the run has ended, however often the link is cut. @returns stops waiting */
  awaitRun(runId: string, waiter: RunWaiter): () => void {
    const state = this.#awaited.wait(runId, waiter);
    if (state === 'told') return () => undefined;
    if (state === 'new' || !this.isOpen) this.#post({ kind: 'await', id: runId });
    return () => {
      this.#awaited.leave(runId, waiter);
      this.#lingerIfIdle();
    };
  }

  /** The worker's tasks come by the link from now on. @returns ends that */
  attach(workerId: string, worker: AttachedWorker): () => void {
    this.#workers.set(workerId, worker);
    this.#post({ kind: 'attach', id: workerId });
    return () => {
      if (this.#workers.get(workerId) !== worker) return;
      this.#workers.delete(workerId);
      if (this.isOpen) this.#post({ kind: 'detach', id: workerId });
      this.#lingerIfIdle();
    };
  }

  /** The worker's durable stream goes by the link from now on. Its listener is told NotOfferedError where the engine carries none. */
  openDurable(workerId: string, listener: DurableListener): LinkedDurableStream {
    const stream = this.#durable.open(workerId, listener);
    if (this.carriesDurable === false) this.#host.setImmediate(() => this.#loseDurable(new NotOfferedError()));
    return stream;
  }

  /** What is on its way is given up. */
  close(error: unknown): void {
    this.#isClosed = true;
    this.#endStream();
    this.#giveUp(error);
    for (const timer of [this.#reconnecting, this.#linger, this.#acknowledging, this.#looking]) timer?.clear();
  }

  #send(
    facts: CommandFacts,
    patienceMs: number,
    made: (command: LinkCommand) => void = () => undefined,
  ): Promise<Exclude<LinkAnswer, { error: unknown }>> {
    return new Promise((resolve, reject) => {
      const command = this.#push(facts, patienceMs, (answer) => {
        if ('error' in answer) reject(answer.error);
        else resolve(answer);
      });
      if (command !== undefined) made(command);
    });
  }

  #settle(command: LinkCommand | undefined, answer: LinkAnswer): void {
    const tell = command?.settle;
    if (command === undefined || tell === undefined) return;
    command.settle = undefined;
    this.#unanswered--;
    tell(answer);
  }

  /** It is not sent any more. */
  #forget(command: LinkCommand, error: unknown): void {
    this.#queue.remove(command);
    for (const frame of this.#frames) if (frame.all.includes(command)) this.#frames.drop(frame.request.number);
    this.#settle(command, { error });
    this.#lingerIfIdle();
  }

  /** A command whose answer nobody waits for. It is part of the link's state: a session that is new is told of it again. */
  #post(facts: CommandFacts): void {
    this.#push(facts, Infinity, undefined);
  }

  #push(facts: CommandFacts, patienceMs: number, tell: LinkCommand['settle']): LinkCommand | undefined {
    if (this.#isClosed || this.#isOffered === false) {
      tell?.({ error: new NotOfferedError() });
      return undefined;
    }
    const giveUpAt = this.#host.monotonicMs() + patienceMs;
    const command = { facts, weight: weightOf(facts), giveUpAt, isRepeated: false, refused: undefined, settle: tell };
    this.#queue.push(command);
    this.#linger?.clear();
    this.#linger = undefined;
    if (tell !== undefined) {
      this.#unanswered++;
      this.#lookAgain();
    }
    this.#flushSoon();
    return command;
  }

  #lookAgain(): void {
    if (this.#looking !== undefined) return;
    this.#looking = this.#host.setInterval(() => this.#look(), lookMs);
    this.#looking.unref();
  }

  #flushSoon(): void {
    if (this.#stream === undefined) {
      if (this.#reconnecting === undefined) this.#connect();
      return;
    }
    if (this.#isFlushing || this.#bounds === undefined) return;
    this.#isFlushing = true;
    this.#host.setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    for (let stream = this.#stream; stream !== undefined; stream = this.#stream) {
      // What the engine has not done yet is bounded.
      if (this.#bounds === undefined || this.#frames.isFull(this.#bounds)) return;
      const commands = this.#queue.next(this.#frames.hasRoomApart(this.#bounds));
      if (commands.length === 0) return;
      for (const command of commands) if (command.facts.kind === 'lines') command.giveUpAt = Infinity;
      const frame = this.#frames.add(commands);
      this.#write(stream, frame);
    }
  }

  #write(stream: LinkStream, { request }: LinkFrame): void {
    request.takenThrough = BigInt(this.#taken);
    this.#acknowledged = this.#taken;
    stream.write(request);
  }

  #connect(): void {
    this.#reconnecting = undefined;
    const stream = this.#ports.connect();
    this.#stream = stream;
    stream.on('data', (response: ConnectResponse) => this.#take(stream, response));
    stream.on('error', (error: Error) => void this.#broken(stream, error));
    stream.on('end', () => void this.#broken(stream, undefined));
    stream.write({
      ...emptyRequest(),
      hello: { sessionId: this.#sessionId, engineId: this.#engineId, isRelay: this.#isRelay },
    });
  }

  #take(stream: LinkStream, response: ConnectResponse): void {
    if (stream !== this.#stream) return;
    if (response.welcome !== undefined) return this.#welcomed(stream, response.welcome);
    const number = Number(response.number);
    if (number <= this.#taken) return; // sent again
    this.#taken = number;
    for (const refusal of response.refusals) this.#refused(refusal);
    for (const { frame, index, runId } of response.otherRuns) {
      this.#settle(this.#frames.find(frame)?.byKind.get(CommandKind.COMMAND_KIND_TRIGGER)?.[index], { runId });
    }
    for (const frame of response.done) {
      const sent = this.#frames.drop(frame);
      for (const command of sent?.all ?? [])
        this.#settle(command, command.refused === undefined ? carriedOut : { refused: command.refused });
    }
    for (const tasks of response.tasks) {
      const worker = this.#workers.get(tasks.workerId);
      if (worker !== undefined) eachTask(tasks, (task) => worker.onAction(task));
    }
    for (const { workerId, action } of response.assigned)
      if (action !== undefined) this.#workers.get(workerId)?.onAction(action);
    for (const { workerId, status: code, details } of response.detached)
      this.#detached(workerId, serviceError({ code, details }));
    for (const event of response.ended) this.#awaited.ended(event);
    if (response.durable.length > 0) this.#durable.take(response.durable);
    this.#acknowledgeSoon();
    if (this.#queue.size > 0) this.#flushSoon();
    else this.#lingerIfIdle();
  }

  #welcomed(stream: LinkStream, { engineId, mostCommands, mostBytes, offers }: Welcome): void {
    this.#isOffered = true;
    this.#offers = offers;
    this.#bounds = { mostCommands, mostBytes };
    this.#failures = 0;
    this.#ports.welcomed();
    const isResumed = engineId === this.#engineId;
    if (this.#engineId !== '' && !isResumed) {
      this.#loseDurable(serviceError({ code: status.UNAVAILABLE, details: 'the engine has forgotten the session' }));
      this.#taken = this.#acknowledged = 0;
      for (const frame of this.#frames) markRepeated(frame);
      for (const id of this.#awaited) this.#post({ kind: 'await', id });
    }
    if (this.#engineId !== '') for (const id of this.#workers.keys()) this.#post({ kind: 'attach', id });
    this.#engineId = engineId;
    if (this.carriesDurable === false) this.#loseDurable(new NotOfferedError());
    for (const frame of this.#frames) this.#write(stream, frame);
    this.#flush();
    if (isResumed) this.#durable.resumed();
    this.#lingerIfIdle();
  }

  /** What was refused for the moment is sent again after a pause, as long as its caller waits. */
  #refused({ frame, kind, index, status: code, details, errorCode, statusDetails }: Refusal): void {
    const commands = this.#frames.find(frame)?.byKind.get(kind);
    const error = serviceError({ code, details, errorCode, statusDetails });
    if (kind === CommandKind.COMMAND_KIND_LINE) {
      const [lines] = commands ?? [];
      if (lines !== undefined) (lines.refused ??= new Map()).set(index, error);
      return;
    }
    const command = commands?.[index];
    if (command?.settle === undefined) return;
    if (!transientStatuses.has(code) || this.#host.monotonicMs() > command.giveUpAt)
      return this.#settle(command, { error });
    const again = { ...command, isRepeated: true };
    command.settle = undefined;
    this.#host.setTimeout(() => {
      if (again.settle === undefined) return;
      this.#queue.push(again);
      this.#flushSoon();
    }, backoff.firstMs);
  }

  #acknowledgeSoon(): void {
    this.#acknowledging ??= this.#host.setTimeout(() => {
      this.#acknowledging = undefined;
      if (this.#stream === undefined || this.#acknowledged === this.#taken) return;
      this.#acknowledged = this.#taken;
      this.#stream.write({ ...emptyRequest(), takenThrough: BigInt(this.#taken) });
    }, acknowledgeMs);
  }

  async #broken(stream: LinkStream, error: unknown): Promise<void> {
    if (stream !== this.#stream) return;
    const wasOpen = this.isOpen;
    this.#endStream();
    this.#lastError = error ?? serviceError({ code: status.UNAVAILABLE, details: 'the engine ended the stream' });
    const code = statusIn(error);
    if (code === status.UNIMPLEMENTED) {
      this.#isOffered = false;
      return this.#giveUp(new NotOfferedError());
    }
    if (code !== undefined && final.has(code)) return this.#giveUp(error);
    if (code === status.INTERNAL) this.#refuseUnwritable();
    if (wasOpen) {
      for (const worker of this.#workers.values()) worker.onCut(this.#lastError);
      this.#durable.cut();
    }
    this.#forgetUnwanted();
    if (!this.isBusy) return;
    const wait = backoffMs(backoff, this.#failures++, this.#host.chance());
    this.#reconnecting = this.#host.setTimeout(() => {
      this.#reconnecting = undefined;
      this.#forgetUnwanted();
      if (this.isBusy) this.#connect();
    }, wait);
    const hopeless = await this.#ports.whyHopeless(error);
    if (hopeless !== undefined) this.#giveUp(hopeless);
  }

  /** A frame that cannot be written breaks every stream: what is at fault for it is refused, and the others of it travel anew. */
  #refuseUnwritable(): void {
    for (const frame of this.#frames) {
      if (whyUnwritable(frame.request) === undefined) continue;
      this.#frames.drop(frame.request.number);
      for (const command of frame.all) {
        const reason = whyUnwritable(frameOf(0, [command]).request);
        if (reason === undefined) this.#queue.push(command);
        else this.#settle(command, { error: serviceError({ code: status.INVALID_ARGUMENT, details: reason }) });
      }
    }
  }

  /** Without a stream: what nobody waits for any more is not sent again. A program whose calls have all failed may end. */
  #forgetUnwanted(): void {
    const isUnwanted = ({ facts, settle: tell }: LinkCommand): boolean => {
      if (facts.kind === 'await') return !this.#awaited.isWanted(facts.id);
      if (facts.kind === 'durable') return !this.#durable.has(facts.workerId);
      return tell === undefined && facts.kind !== 'attach';
    };
    for (const frame of this.#frames)
      if (frame.all.every((command) => isUnwanted(command) || command.facts.kind === 'attach'))
        this.#frames.drop(frame.request.number);
    this.#queue.take(isUnwanted);
  }

  /** Something is on its way, or somebody waits for what comes. */
  get isBusy(): boolean {
    const served = this.#workers.size + this.#durable.size + this.#awaited.size;
    return this.#queue.size + this.#frames.size + served + this.#unanswered > 0;
  }

  /** Those whose patience is at its end. What was never sent is not sent any more. */
  #look(): void {
    if (this.#unanswered === 0) {
      this.#looking?.clear();
      this.#looking = undefined;
      return;
    }
    const now = this.#host.monotonicMs();
    const isLate = ({ giveUpAt }: LinkCommand): boolean => giveUpAt < now;
    const error =
      this.#lastError ?? serviceError({ code: status.DEADLINE_EXCEEDED, details: 'the engine did not answer in time' });
    for (const frame of this.#frames)
      for (const command of frame.all) if (isLate(command)) this.#settle(command, { error });
    for (const command of this.#queue.take(isLate)) this.#settle(command, { error });
  }

  #giveUp(error: unknown): void {
    this.#reconnecting?.clear();
    this.#reconnecting = undefined;
    const queued = this.#queue.take(() => true);
    const sent = [...this.#frames];
    for (const { request } of sent) this.#frames.drop(request.number);
    for (const frame of sent) for (const command of frame.all) this.#settle(command, { error });
    for (const command of queued) this.#settle(command, { error });
    this.#awaited.lose(error);
    this.#durable.lose(error);
    for (const workerId of this.#workers.keys()) this.#detached(workerId, error);
  }

  /** What was not sent is not sent any more. */
  #loseDurable(error: unknown): void {
    this.#queue.take(({ facts }) => facts.kind === 'durable');
    this.#durable.lose(error);
  }

  #detached(workerId: string, error: unknown): void {
    const worker = this.#workers.get(workerId);
    this.#workers.delete(workerId);
    worker?.onEnded(error);
  }

  #lingerIfIdle(): void {
    if (this.isBusy || this.#stream === undefined) return;
    this.#linger?.clear();
    this.#linger = this.#host.setTimeout(() => {
      if (!this.isBusy) this.#endStream();
    }, lingerMs);
  }

  #endStream(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#bounds = undefined;
    this.#acknowledging?.clear();
    this.#acknowledging = undefined;
    if (stream === undefined) return;
    // A cancelled call still reports its end as an error, to which nobody listens any more.
    stream.removeAllListeners();
    stream.on('error', () => {});
    stream.cancel();
  }
}
