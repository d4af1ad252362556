import { HatchetError } from '../base/errors.ts';
import { processHost, type Host, type HostTimer } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { AnswerWatch, type SentAttempt } from './answer-watch.ts';
import type { Assignment } from '../model/task/effect.ts';
import type { Sending } from './worker-message.ts';
import { shardOf } from '../model/ids/shard-of.ts';
import { OwnerReports } from './owner-reports.ts';
import { PayloadCache } from './payload-cache.ts';
import { PayloadLoader, type PayloadReads } from './payload-loader.ts';
import { PresenceWatch, type PresencePorts } from './presence-watch.ts';
import { startMessage, type ReadyAssignment, type Reads } from './start-message.ts';
import { takeUnstarted, watchUnstarted } from './suspects-after-reconnect.ts';
import { attemptKey, WorkerSession, type CancelNotice, type WorkerLink } from './worker-session.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

export interface Attempt {
  taskId: string;
  attempt: number;
}

/** What the dispatcher asks of the rest of the engine. */
export interface DispatcherPorts extends PayloadReads, PresencePorts {
  /** The ids of a tenant's workers that run in a process. @throws HatchetError NOT_OWNER */
  workersOfProcess(tenantId: TenantId, process: string): readonly string[];
  cancelSent(tenantId: TenantId, attempt: Attempt): Promise<unknown>;
  returnUnsent(tenantId: TenantId, attempt: Attempt): Promise<unknown>;
  reassignUnstarted(tenantId: TenantId, attempt: Attempt): Promise<unknown>;
  /** The worker has said nothing of these since they were sent: those that it has not started go elsewhere. */
  unanswered(worker: { tenantId: TenantId; workerId: string; attempts: readonly SentAttempt[] }): Promise<unknown>;
  /** Who runs the attempt, where it is the one that counts; null stands for that one. */
  workerOf(tenantId: TenantId, attempt: { taskId: string; attempt: number | null }): string | undefined;
  /** It answers again. */
  workerAnswered(worker: { tenantId: TenantId; workerId: string }): Promise<unknown>;
  /** Attempts on the worker that have given no sign of a start. */
  unstarted(tenantId: TenantId, workerId: string): Attempt[];
}

const sweepMs = 1_000;
/** Another engine has a lost shard by then, or this one has it again. */
const lostMs = 5_000;

/** Worker streams: sends what was assigned, tells what was cancelled, and watches who is alive. Outside all shard state. */
export class Dispatcher {
  readonly payloads = new PayloadCache();
  readonly #ports: DispatcherPorts;
  readonly #sessions = new Map<string, WorkerSession>();
  readonly #answers = new AnswerWatch();
  readonly #reports: OwnerReports;
  readonly #presence: PresenceWatch;
  readonly #loader: PayloadLoader;
  readonly #host: Host;
  readonly #sweep: HostTimer;
  /** Shards that this process serves no more, and since when. */
  readonly #lost = new Map<number, number>();
  readonly #onLeft: (workerIds: ReadonlySet<string>) => void;
  readonly #readsOfMemory: Reads = {
    runOf: (runId) => this.payloads.run(runId),
    outputOf: (taskId) => this.payloads.output(taskId),
    errorOf: () => undefined,
    inputOf: () => undefined,
  };

  /** @param options.onLeft these workers belong to another engine now */
  constructor(options: {
    ports: DispatcherPorts;
    log: Logger;
    workerTimeoutMs: number;
    host?: Host;
    onLeft?: (workerIds: ReadonlySet<string>) => void;
  }) {
    this.#onLeft = options.onLeft ?? (() => undefined);
    this.#ports = options.ports;
    this.#host = options.host ?? processHost;
    this.#reports = new OwnerReports(options.log, this.#host);
    this.#presence = new PresenceWatch({
      ports: options.ports,
      reports: this.#reports,
      log: options.log,
      workerTimeoutMs: options.workerTimeoutMs,
      forget: (session) => this.#forget(session),
    });
    this.#loader = new PayloadLoader({
      reads: options.ports,
      cache: this.payloads,
      log: options.log,
      isWanted: (assignment) => this.#isWanted(assignment),
      deliver: (sending, reads) => this.#deliverRead(sending, reads),
      host: this.#host,
    });
    this.#sweep = this.#host.setInterval(() => {
      this.#leaveLost();
      if (this.#ports.isCatchingUp()) return;
      this.#checkAll();
      this.#checkAnswers();
    }, sweepMs);
  }

  /** @param ended unsubscribed before a restart: it attaches no more, but what it still runs is watched over */
  addWorker(tenantId: TenantId, workerId: string, ended = false): WorkerSession {
    let session = this.#sessions.get(workerId);
    if (session === undefined) {
      session = new WorkerSession({ workerId, tenantId, nowMs: this.#ports.nowMs() });
      session.ended = ended;
      this.#sessions.set(workerId, session);
    }
    return session;
  }

  endWorker(workerId: string): void {
    const session = this.#sessions.get(workerId);
    if (session !== undefined) session.ended = true;
  }

  session(tenantId: TenantId, workerId: string): WorkerSession | undefined {
    const session = this.#sessions.get(workerId);
    return session?.tenantId === tenantId ? session : undefined;
  }

  /** After a take-over of shards the planner knows of no presence there: their sessions are announced anew, and get their full grace. */
  announceAll(shards: ReadonlySet<number>): void {
    for (const shard of shards) {
      this.#lost.delete(shard);
      this.#reports.startAnew(shard);
    }
    for (const session of this.#sessions.values()) {
      if (!shards.has(shardOf(session.tenantId))) continue;
      session.announced = 'away';
      this.#presence.check(session);
      // What was to be said of them before may not have been said.
      if (session.link !== undefined) this.#watchUnstarted(session);
    }
  }

  /** These shards are served here no more. Their workers hear nothing for a moment: often they are served here again. */
  lost(shards: Iterable<number>): void {
    for (const shard of shards) this.#lost.set(shard, this.#ports.nowMs());
  }

  /** How long ago each worker that was heard of within `withinMs` was last heard of. */
  *heardWithin(withinMs: number): Generator<{ workerId: string; agoMs: number }> {
    const nowMs = this.#ports.nowMs();
    for (const { workerId, seenAtMs } of this.#sessions.values())
      if (nowMs - seenAtMs <= withinMs) yield { workerId, agoMs: nowMs - seenAtMs };
  }

  /** How long ago a worker was heard of; undefined for one without a session here. */
  heardAgoMs(tenantId: TenantId, workerId: string): number | undefined {
    const session = this.session(tenantId, workerId);
    return session === undefined ? undefined : this.#ports.nowMs() - session.seenAtMs;
  }

  /** @throws HatchetError UNKNOWN_WORKER, NOT_OWNER */
  heartbeat(tenantId: TenantId, workerId: string): void {
    const session = this.#known(tenantId, workerId);
    session.beat(this.#ports.nowMs());
    this.#presence.check(session);
  }

  /**
   * The process of workers has ended, as its parent says: their tasks go to others as soon as their streams have ended too.
   * @param how such as `exit code 1` or `SIGKILL`
   * @returns the ids of the workers that ran in it
   */
  processEnded(tenantId: TenantId, process: string, how: string): readonly string[] {
    const workerIds = this.#ports.workersOfProcess(tenantId, process);
    for (const workerId of workerIds) {
      const session = this.session(tenantId, workerId);
      if (session === undefined) continue;
      session.processEnd = how;
      this.#presence.check(session);
    }
    return workerIds;
  }

  /**
   * Attaches a worker's stream; a stream it had before is closed.
   * @returns to call when the stream ends
   * @throws HatchetError UNKNOWN_WORKER, NOT_OWNER
   */
  attach(tenantId: TenantId, workerId: string, link: WorkerLink): () => void {
    const session = this.#known(tenantId, workerId);
    if (session.ended) throw unknownWorker(workerId);
    session.link?.close();
    session.attach(link, this.#ports.nowMs());
    if (session.unanswered.size > 0) this.#answered(session); // whoever connects is not blocked
    for (const notice of session.untold.values()) this.#tell(session, notice);
    this.#watchUnstarted(session);
    this.#presence.check(session);
    return () => {
      if (session.link !== link) return;
      session.link = undefined;
      session.suspects.length = 0;
      this.#presence.check(session);
    };
  }

  /** A worker has said something of an attempt, be it one that is over. The batch is what it names instead of the attempt. */
  heard(tenantId: TenantId, attempt: { taskId: string; attempt: number | null; batchId: string | null }): void {
    const speaker = this.#ports.workerOf(tenantId, attempt);
    const session = this.#answers.heard(attempt, speaker === undefined ? undefined : this.#sessions.get(speaker));
    if (session !== undefined) this.#answered(session);
  }

  /** These workers have spoken: what a program says, all of its workers say, which take turns in its event loop. */
  spoke(workerIds: Iterable<string>): void {
    for (const workerId of workerIds) {
      const session = this.#sessions.get(workerId);
      if (session !== undefined) this.#answers.spoke(session);
    }
  }

  /** As `heard`, of a worker that is among those that have spoken. */
  heardOf(attempt: Attempt): void {
    const session = this.#answers.heard({ ...attempt, batchId: null }, undefined);
    if (session !== undefined) this.#answered(session);
  }

  /** Sends committed assignments; those whose payload is not at hand wait until it is read. */
  send(sendings: readonly Sending[]): void {
    const missing: Sending[] = [];
    for (const sending of sendings) {
      if (this.#trySend(sending)) continue;
      for (const { workerId, taskId, attempt } of sending.assignments)
        this.#sessions.get(workerId)?.sending.add(attemptKey(taskId, attempt));
      missing.push(sending);
    }
    if (missing.length > 0) this.#loader.load(missing);
  }

  /** Neither cancelled on its way, nor on another worker or of another owner since. */
  #isWanted({ tenantId, workerId, taskId, attempt }: Assignment): boolean {
    const session = this.#sessions.get(workerId);
    if (session === undefined) return true; // its owner is to hear that it cannot be sent
    const key = attemptKey(taskId, attempt);
    if (!session.sending.has(key)) return false;
    if (this.#ports.workerOf(tenantId, { taskId, attempt }) === workerId) return true;
    session.sending.delete(key);
    return false;
  }

  /** Tells workers that attempts are over: now, or when their stream is back. */
  cancel(workerId: string, notice: CancelNotice): void {
    const session = this.#sessions.get(workerId);
    const key = attemptKey(notice.taskId, notice.attempt);
    // Where nothing went out, or nobody is there who could be told, its end needs no telling.
    const isGone = session === undefined || (session.lost && session.link === undefined);
    if (isGone || session.sending.delete(key))
      return this.#reports.insist(notice.tenantId, () => this.#ports.cancelSent(notice.tenantId, notice));
    if (session.link === undefined) session.untold.set(key, notice);
    else this.#tell(session, notice);
  }

  stop(): void {
    this.#reports.stop();
    this.#sweep.clear();
    this.#loader.stop();
    for (const session of this.#sessions.values()) session.link?.close();
  }

  #known(tenantId: TenantId, workerId: string): WorkerSession {
    const session = this.session(tenantId, workerId);
    if (session !== undefined) return session;
    // Its id holds at the engine that serves it.
    if (this.#lost.has(shardOf(tenantId)))
      throw new HatchetError('NOT_OWNER', 'another engine serves this worker', {
        remedy: 'Connect again: to an engine that is ready.',
      });
    throw unknownWorker(workerId);
  }

  #leaveLost(): void {
    if (this.#lost.size === 0) return;
    const nowMs = this.#ports.nowMs();
    this.leave(new Set([...this.#lost].filter(([, sinceMs]) => nowMs - sinceMs >= lostMs).map(([shard]) => shard)));
  }

  /**
   * Other engines have these shards. Whoever stayed would be given nothing, and would not know: its stream is ended, so that it
   * finds the engine that serves it.
   */
  leave(shards: ReadonlySet<number>): void {
    if (shards.size === 0) return;
    const left = new Set<string>();
    for (const session of this.#sessions.values()) {
      if (!shards.has(shardOf(session.tenantId))) continue;
      left.add(session.workerId);
      this.#forget(session);
    }
    if (left.size === 0) return;
    for (const shard of shards) this.#reports.startAnew(shard);
    this.#onLeft(left);
  }

  /** Resolves once all that was to be sent to workers of these shards is sent, or was given back. */
  async dispatched(shards: ReadonlySet<number>): Promise<void> {
    const isSending = (): boolean => {
      for (const { tenantId, sending } of this.#sessions.values())
        if (sending.size > 0 && shards.has(shardOf(tenantId))) return true;
      return false;
    };
    while (isSending()) await this.#loader.loaded();
  }

  #trySend(sending: Sending): boolean {
    const { payloads } = this;
    const isAtHand = ({ runId, failed, parents, inputBranch }: Assignment): boolean =>
      payloads.run(runId) !== undefined &&
      inputBranch === null &&
      failed.length === 0 &&
      parents.every(({ taskId }) => payloads.output(taskId) !== undefined);
    if (!sending.assignments.every(isAtHand)) return false;
    this.#deliver(sending, this.#readsOfMemory);
    return true;
  }

  /** Of those whose payload has been read. The others were cancelled meanwhile: their end has been reported already. */
  #deliverRead(sending: Sending, reads: Reads): void {
    const session = this.#sessions.get(sending.assignments[0]?.workerId ?? '');
    const isOpen = ({ taskId, attempt }: Assignment): boolean =>
      session === undefined || session.sending.delete(attemptKey(taskId, attempt));
    this.#deliver({ ...sending, assignments: sending.assignments.filter(isOpen) }, reads);
  }

  #deliver({ assignments, batch }: Sending, reads: Reads): void {
    const session = this.#sessions.get(assignments[0]?.workerId ?? '');
    const link = session?.link;
    const ready: ReadyAssignment[] = [];
    for (const assignment of assignments) {
      const run = link === undefined ? undefined : reads.runOf(assignment.runId);
      if (run === undefined) this.#giveBack(assignment);
      else ready.push({ assignment, run });
    }
    const message = startMessage(batch, ready, reads);
    if (session === undefined || link === undefined || message === undefined) return;
    link.send(message);
    for (const { assignment } of ready)
      this.#answers.sent(session, link, {
        taskId: assignment.taskId,
        attempt: assignment.attempt,
        invocation: assignment.invocation,
        batchId: batch?.id ?? null,
      });
  }

  #giveBack(assignment: Assignment): void {
    this.#sessions.get(assignment.workerId)?.sending.delete(attemptKey(assignment.taskId, assignment.attempt));
    this.#reports.insist(assignment.tenantId, () => this.#ports.returnUnsent(assignment.tenantId, assignment));
  }

  #tell(session: WorkerSession, notice: CancelNotice): void {
    session.link?.send(notice);
    session.untold.delete(attemptKey(notice.taskId, notice.attempt));
    this.#reports.insist(notice.tenantId, () => this.#ports.cancelSent(notice.tenantId, notice));
  }

  #watchUnstarted(session: WorkerSession): void {
    watchUnstarted(session, this.#ports.unstarted(session.tenantId, session.workerId), this.#ports.nowMs());
  }

  #checkUnstarted(session: WorkerSession): void {
    for (const attempt of takeUnstarted(session, this.#ports.nowMs()))
      this.#reports.insist(session.tenantId, () => this.#ports.reassignUnstarted(session.tenantId, attempt));
  }

  #checkAnswers(): void {
    for (const [session, attempts] of this.#answers.due()) {
      const { tenantId, workerId } = session;
      this.#reports.insist(tenantId, () => {
        if (this.#sessions.get(workerId) === session) this.#answers.told(session, attempts);
        return this.#ports.unanswered({ tenantId, workerId, attempts });
      });
    }
  }

  #answered(session: WorkerSession): void {
    this.#answers.forget(session);
    const { tenantId, workerId } = session;
    this.#reports.insist(tenantId, () => this.#ports.workerAnswered({ tenantId, workerId }));
  }

  #checkAll(): void {
    for (const session of this.#sessions.values()) {
      this.#checkUnstarted(session);
      this.#presence.check(session);
    }
  }

  /** One that came back in the last moment hears that it is not known. */
  #forget(session: WorkerSession): void {
    this.#sessions.delete(session.workerId);
    this.#answers.drop(session);
    session.link?.close();
  }
}

function unknownWorker(workerId: string): HatchetError {
  return new HatchetError('UNKNOWN_WORKER', `no worker ${workerId}`, { remedy: 'Register the worker again.' });
}
