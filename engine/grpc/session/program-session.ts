import { Outbox } from '../../../link/outbox.ts';
import type { Caller } from '../../edge/access/caller.ts';
import { HatchetError } from '../../base/errors.ts';
import { processHost, type Host } from '../../base/host.ts';
import { isMovedAway } from '../../base/not-owner.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import type { WorkerLink, WorkerMessage } from '../../dispatch/worker-session.ts';
import type { Logger } from '../../base/log.ts';
import type { RunEndWaiters } from '../../monitor/runs/run-end-waiters.ts';
import { newId } from '../../model/ids/uuid.ts';
import type { WorkflowRunEvent } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { ConnectRequest, ConnectResponse } from '../../../proto/gen/hatchet/session/v1/session.ts';
import { assignedAction } from '../assigned-action.ts';
import { offeredWords } from '../offers.ts';
import { DurableStreams, type OpenDurableStream } from './durable-streams.ts';
import { addTask, assignedTasks, isOfTheSame } from './assigned-tasks.ts';
import { RunResultStream } from '../runs/run-result-stream.ts';
import { toServiceError } from '../service-error.ts';
import type { CommandOutcome, Program } from './carry-out.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface SessionLimits {
  /** Commands and characters that a program may have sent and that are not done. */
  readonly mostCommands: number;
  readonly mostBytes: number;
  /** Characters that the program has not acknowledged: what is more waits. */
  readonly mostUnacknowledged: number;
}

const usualLimits: SessionLimits = {
  mostCommands: 4_000,
  mostBytes: 16 * 1024 * 1024,
  mostUnacknowledged: 8 * 1024 * 1024,
};
/** Commands of one frame: they are read in one turn of the event loop. */
const mostOfFrame = 1_000;
/** Of what a frame may hold: the next ones go with the next frame. */
const mostInFrame = 1024 * 1024;

/** Steps of a frame with which a task is compared: one that is of none of the last ones begins anew. */
const mostCompared = 8;

/** A thousand lines, the most of a frame, stand for as many commands as the SDK puts into one. */
const linesOfCommand = 5;

/** What a session asks of the engine. */
export interface SessionPorts {
  /** Resolves once each of a frame's commands is stored or refused. */
  carryOut(frame: ConnectRequest, program: Program): Promise<CommandOutcome>;
  /** The stream of a program of the tenant's is cut, and its workers are about to be detached. */
  cut(tenantId: Caller['tenantId']): void;
  /**
   * How workers are attached, as soon as it is known which there are.
   * @returns throws HatchetError UNKNOWN_WORKER, NOT_OWNER; returns what detaches it
   * @throws HatchetError PERMISSION_DENIED, NOT_OWNER
   */
  workers(caller: Caller): Promise<(workerId: string, link: WorkerLink) => () => void>;
  /** How durable streams of the caller's workers are opened. @throws HatchetError PERMISSION_DENIED */
  durable(caller: Caller): OpenDurableStream;
  readonly results: Pick<RunEndWaiters, 'wait'>;
  readonly log: Logger;
  readonly limits?: SessionLimits;
  readonly host?: Host;
}

/** A stream of a session. */
export interface SessionLink {
  write(message: ConnectResponse): void;
  /** It has more to carry than its program reads. */
  isBehind(): boolean;
  pause(): void;
  resume(): void;
  fail(error: unknown): void;
  /** Of the program. */
  address(): string;
  /** It carries what several programs ask. */
  isRelay(): boolean;
}

interface SentFrame {
  readonly message: ConnectResponse;
  /** Called once the program has it. */
  readonly taken: readonly (() => void)[];
}

/**
 * One program's session, over any number of streams. What the program sends is acknowledged once it is stored; what it is told is
 * kept until it has acknowledged it, and sent again on the next stream.
 */
export class ProgramSession {
  /** Of this end: a program that knows another one begins anew. */
  readonly id = newId();
  readonly #ports: SessionPorts;
  readonly #limits: SessionLimits;
  readonly #host: Host;
  readonly #ended: () => void;
  readonly #outbox = new Outbox<SentFrame>();
  readonly #runs: RunResultStream;
  /** By worker, to detach it. */
  readonly #workers = new Map<string, { link: WorkerLink; detach: () => void }>();
  readonly #durable: DurableStreams;
  #draft = emptyFrame();
  #draftWeight = 0;
  #draftTaken: (() => void)[] = [];
  #flushing = false;
  #link: SessionLink | undefined;
  #caller: Caller | undefined;
  /** The last frame that was taken up. */
  #taken = 0;
  /** Commands that are being carried out. */
  #open = 0;
  #drained: () => void = () => undefined;
  #isOver = false;

  constructor(ports: SessionPorts, options: { tenantId: TenantId; ended: () => void }) {
    this.#ports = ports;
    this.#limits = ports.limits ?? usualLimits;
    this.#host = ports.host ?? processHost;
    this.#ended = options.ended;
    this.#durable = new DurableStreams({
      open: (caller) => ports.durable(caller),
      tell: (weight, tell) => this.#add(weight, ({ durable }) => tell(durable)),
      log: ports.log,
    });
    const isFull = (): boolean => this.#isFull;
    const isOver = (): boolean => this.#isOver;
    this.#runs = new RunResultStream(ports.results, {
      tenantId: options.tenantId,
      call: {
        get isFull() {
          return isFull();
        },
        get cancelled() {
          return isOver();
        },
        write: (event, sent) => this.#tellEnd(event, sent),
        on: (_, listener) => (this.#drained = listener),
        pause: () => this.#link?.pause(),
        resume: () => this.#link?.resume(),
      },
    });
  }

  /** What it holds for its program. */
  get weight(): number {
    return this.#outbox.weight + this.#draftWeight;
  }

  /** Another stream of the session takes the place of the one before. */
  connect(link: SessionLink, caller: Caller): void {
    const before = this.#link;
    if (before !== undefined) {
      this.cut(before);
      before.fail(replaced());
    }
    const { mostCommands, mostBytes } = this.#limits;
    this.#link = link;
    this.#caller = caller;
    link.write({
      ...emptyFrame(),
      welcome: { engineId: this.id, mostCommands, mostBytes, offers: offeredWords() },
    });
    for (const { message } of this.#outbox) link.write(message);
    this.flush();
  }

  /** @returns whether it was the stream of the session, which has none now */
  cut(link: SessionLink): boolean {
    if (this.#link !== link) return false;
    this.#link = undefined;
    if (this.#caller !== undefined) this.#ports.cut(this.#caller.tenantId);
    for (const { detach } of this.#workers.values()) detach();
    this.#workers.clear();
    return !this.#isOver;
  }

  /** Nobody comes back to it. @param error for the program, where it still has a stream */
  end(error: unknown = replaced()): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#runs.stop();
    this.#durable.end();
    this.#ended();
    const link = this.#link;
    if (link === undefined) return;
    this.cut(link);
    link.fail(error);
  }

  /** A frame of the program's, by the stream of the session. What an earlier one still brings comes again by this one, in order. */
  take(link: SessionLink, frame: ConnectRequest): void {
    if (link !== this.#link) return;
    this.#acknowledged(Number(frame.takenThrough));
    const number = Number(frame.number);
    if (number <= this.#taken) return; // nothing but an acknowledgement, or sent again after a cut
    const caller = this.#caller;
    if (caller === undefined) return;
    const count = commandsIn(frame);
    if (count + frame.attach.length + frame.detach.length + frame.await.length > mostOfFrame)
      throw invalid('a frame holds too much', `Send up to ${mostOfFrame} commands in one.`);
    this.#taken = number;
    for (const workerId of frame.attach) void this.#attach(workerId);
    for (const workerId of frame.detach) this.#detach(workerId);
    for (const runId of frame.await) this.#runs.add(runId);
    this.#open += count;
    if (this.#open > this.#limits.mostCommands * 2) this.#link?.pause();
    const address = this.#link?.address() ?? '';
    const program: Program = {
      caller,
      address: () => address,
      workerIds: link.isRelay() ? undefined : this.#workers.keys(),
      await: (runId) => this.#runs.add(runId),
    };
    const carriedOut = this.#ports.carryOut(frame, program);
    // Behind what the frame says of attempts: that a durable task's has started comes before what it asks for.
    const settled = this.#durable.take(frame.durable, caller);
    (settled === undefined ? carriedOut : settled.then(() => carriedOut)).then(
      (outcome) => {
        this.#open -= count;
        if (this.#open <= this.#limits.mostCommands) this.#link?.resume();
        this.#done(number, outcome);
      },
      // What became of them is not known: the program sends them again, in another session.
      (error: unknown) => this.end(error),
    );
  }

  /** Sends what has gathered, as far as the program takes it. */
  flush(): void {
    const link = this.#link;
    if (link === undefined || this.#draftWeight === 0 || link.isBehind()) return;
    if (this.#outbox.weight > this.#limits.mostUnacknowledged) return;
    const draft = this.#draft;
    const taken = this.#draftTaken;
    const { message } = this.#outbox.add(this.#draftWeight, (number) => {
      draft.number = BigInt(number);
      return { message: draft, taken };
    });
    this.#draft = emptyFrame();
    this.#draftTaken = [];
    this.#draftWeight = 0;
    link.write(message);
  }

  get #isFull(): boolean {
    return this.weight > this.#limits.mostUnacknowledged;
  }

  #acknowledged(through: number): void {
    const wasFull = this.#isFull;
    for (const frame of this.#outbox) {
      if (Number(frame.message.number) > through) break;
      for (const each of frame.taken) each();
    }
    this.#outbox.dropThrough(through);
    if (this.#draftWeight > 0) this.flush();
    if (wasFull && !this.#isFull) this.#drained();
  }

  #add(weight: number, add: (frame: ConnectResponse) => void): void {
    add(this.#draft);
    this.#draftWeight += weight;
    if (this.#draftWeight > mostInFrame) return this.flush();
    if (this.#flushing) return;
    this.#flushing = true;
    // What comes of one transaction goes together.
    this.#host.setImmediate(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  #done(number: number, { refusals, otherRuns }: CommandOutcome): void {
    this.#add(10 + 100 * (refusals.length + otherRuns.length), (frame) => {
      const about = BigInt(number);
      frame.done.push(about);
      for (const refusal of refusals) frame.refusals.push({ frame: about, ...refusal });
      for (const other of otherRuns) frame.otherRuns.push({ frame: about, ...other });
    });
  }

  #tellEnd(event: WorkflowRunEvent, sent: () => void): void {
    const size = event.results.reduce((sum, { output, error }) => sum + (output?.length ?? error?.length ?? 0), 100);
    this.#add(size, (frame) => {
      frame.ended.push(event);
      this.#draftTaken.push(sent);
    });
  }

  #start(workerId: string, start: WorkerMessage & { kind: 'start' }): void {
    const { input, parents, triggers, errors } = start.parts;
    const weight = 100 + input.length + start.metadata.length + parents.length + triggers.length + errors.length;
    this.#add(weight, ({ tasks }) => {
      const others = tasks.slice(-mostCompared).findLast((each) => isOfTheSame(each, workerId, start));
      if (others === undefined) tasks.push(assignedTasks(workerId, start));
      else addTask(others, start);
    });
  }

  async #attach(workerId: string): Promise<void> {
    const stream = this.#link;
    const caller = this.#caller;
    if (stream === undefined || caller === undefined) return;
    const link: WorkerLink = {
      send: (message) => {
        if (message.kind === 'start') return this.#start(workerId, message);
        const action = assignedAction(message);
        this.#add(300 + action.actionPayload.length + (action.additionalMetadata?.length ?? 0), (frame) =>
          frame.assigned.push({ workerId, action }),
        );
      },
      close: () => {
        if (this.#workers.get(workerId)?.link !== link) return;
        this.#workers.delete(workerId);
        this.#tellDetached(
          workerId,
          new HatchetError('STOPPING', 'the engine is stopping', { remedy: 'Reconnect in a moment.' }),
        );
      },
    };
    try {
      const attach = await this.#ports.workers(caller);
      if (this.#link !== stream) return; // cut meanwhile: the program attaches it again
      // Whom it replaces is told nothing: the worker goes on.
      const before = this.#workers.get(workerId);
      this.#workers.delete(workerId);
      const detach = attach(workerId, link);
      before?.detach();
      this.#workers.set(workerId, { link, detach });
    } catch (error) {
      if (isMovedAway(error)) this.end(error);
      else this.#tellDetached(workerId, error);
    }
  }

  #tellDetached(workerId: string, error: unknown): void {
    const { code, details } = toServiceError(error, this.#ports.log);
    this.#add(100, (frame) => frame.detached.push({ workerId, status: code, details }));
  }

  #detach(given: string): void {
    const attached = this.#workers.get(given);
    if (attached === undefined) return;
    this.#workers.delete(given);
    attached.detach();
  }
}

function commandsIn({ started, completed, failed, triggers, batches, chunks, lines, durable }: ConnectRequest): number {
  const ofTasks = started.length + completed.length + failed.length + triggers.length + batches.length;
  const ofLogs = durable.reduce((sum, { requests }) => sum + Math.max(requests.length, 1), 0);
  return ofTasks + ofLogs + chunks.length + Math.ceil(lines.length / linesOfCommand);
}

function replaced(): HatchetError {
  return new HatchetError('STOPPING', 'the session goes on by another stream', { remedy: 'Use that one.' });
}

function emptyFrame(): ConnectResponse {
  return {
    number: 0n,
    done: [],
    refusals: [],
    otherRuns: [],
    assigned: [],
    detached: [],
    ended: [],
    tasks: [],
    durable: [],
    welcome: undefined,
  };
}
