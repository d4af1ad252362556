import { attemptKey, type WorkerLink, type WorkerSession } from './worker-session.ts';

/** An attempt, with what tells it from another start of the same one. */
export interface SentAttempt {
  taskId: string;
  attempt: number;
  /** Of a durable task: which start this is. */
  invocation: number | null;
  /** The batch in which it was sent. */
  batchId: string | null;
}

interface Sent {
  readonly attempt: SentAttempt;
  readonly session: WorkerSession;
  readonly link: WorkerLink;
  readonly sweep: number;
}

/**
 * Sweeps, a second each, in which a worker is to say that an attempt has arrived. Counted in sweeps and not by a clock: what
 * stalls the engine delays what it reads of its workers too. One more, since the first may come at once.
 */
const patience = 5 + 1;

/** Of one worker in a sweep: a command of the planner's with each of them. */
const perSweep = 500;

/**
 * The attempts that were written to a stream of which their workers have said nothing yet. One is unanswered once its worker
 * has said nothing of any task for as long. A worker whose heartbeats come
 * from a thread of its own looks alive while the loop that runs its tasks is blocked; only what it says of an attempt
 * proves that it takes work.
 *
 * A sweep looks at the workers, and at the attempts of those alone that are silent: one that is slow may have a hundred thousand.
 */
export class AnswerWatch {
  /** By task: of one that was sent again, the newest. */
  readonly #awaited = new Map<string, Sent>();
  /** By worker the same, in the order in which they were sent. */
  readonly #bySession = new Map<WorkerSession, Set<Sent>>();
  /** Those that the planner was told of: whatever is said of one shows that its worker is back. */
  readonly #unanswered = new Map<string, WorkerSession>();
  #sweep = 0;

  sent(session: WorkerSession, link: WorkerLink, attempt: SentAttempt): void {
    const { taskId } = attempt;
    const before = this.#awaited.get(taskId);
    if (before !== undefined) this.#stopAwaiting(before); // one that was sent before goes to the end
    const sent = { attempt, session, link, sweep: this.#sweep };
    this.#awaited.set(taskId, sent);
    const own = this.#bySession.get(session);
    if (own === undefined) this.#bySession.set(session, new Set([sent]));
    else own.add(sent);
  }

  /**
   * Something was said of an attempt, by its worker as far as that is known.
   * @returns the worker that had not answered when it was sent, and does so now
   */
  heard(
    attempt: Pick<SentAttempt, 'taskId' | 'batchId'> & { attempt: number | null },
    speaker: WorkerSession | undefined,
  ): WorkerSession | undefined {
    if (speaker !== undefined) this.spoke(speaker);
    const sent = this.#awaited.get(attempt.taskId);
    if (sent !== undefined && isOf(sent.attempt, attempt)) this.#stopAwaiting(sent);
    if (this.#unanswered.size === 0) return undefined;
    const session = this.#unanswered.get(keyOf(attempt));
    if (session !== undefined) this.forget(session);
    return session;
  }

  /** The worker has said something. */
  spoke(speaker: WorkerSession): void {
    speaker.heardSweep = this.#sweep;
  }

  /** One more second has passed. @returns what is due, by worker */
  due(): Map<WorkerSession, SentAttempt[]> {
    this.#sweep++;
    const due = new Map<WorkerSession, SentAttempt[]>();
    for (const [session, own] of this.#bySession) {
      // It is slow, not blocked: it gets to all of them, and moving what waits in a busy worker would only make it busier.
      if (session.link !== undefined && session.heardSweep + patience > this.#sweep) continue;
      const attempts = this.#dueOf(session, own);
      if (attempts.length > 0) due.set(session, attempts);
    }
    return due;
  }

  #dueOf(session: WorkerSession, own: ReadonlySet<Sent>): SentAttempt[] {
    const attempts: SentAttempt[] = [];
    for (const sent of own) {
      const { attempt, link, sweep } = sent;
      if (sweep + patience > this.#sweep || attempts.length === perSweep) break;
      this.#stopAwaiting(sent);
      // On another stream since: what becomes of it is found out there.
      if (session.link === link) attempts.push(attempt);
    }
    return attempts;
  }

  #stopAwaiting(sent: Sent): void {
    this.#awaited.delete(sent.attempt.taskId);
    const own = this.#bySession.get(sent.session);
    own?.delete(sent);
    if (own?.size === 0) this.#bySession.delete(sent.session);
  }

  /** The planner is being told of these. */
  told(session: WorkerSession, attempts: readonly SentAttempt[]): void {
    for (const key of attempts.map(keyOf)) {
      this.#unanswered.set(key, session);
      session.unanswered.add(key);
    }
  }

  /** The worker is gone. */
  drop(session: WorkerSession): void {
    this.forget(session);
    for (const sent of this.#bySession.get(session) ?? []) this.#stopAwaiting(sent);
  }

  /** The planner hears no more of what it was told. */
  forget(session: WorkerSession): void {
    for (const key of session.unanswered) this.#unanswered.delete(key);
    session.unanswered.clear();
  }
}

/** Whether what is said is said of what was sent. */
function isOf(
  sent: SentAttempt,
  { attempt, batchId }: { readonly attempt: number | null; readonly batchId: string | null },
): boolean {
  return batchId === null ? sent.batchId === null && sent.attempt === (attempt ?? 0) : sent.batchId === batchId;
}

/** SDKs name a batch and no attempts. */
function keyOf({
  taskId,
  attempt,
  batchId,
}: {
  taskId: string;
  attempt: number | null;
  batchId: string | null;
}): string {
  return batchId === null ? attemptKey(taskId, attempt ?? 0) : `${taskId}/${batchId}`;
}
