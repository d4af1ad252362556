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

interface Sent extends SentAttempt {
  session: WorkerSession;
  link: WorkerLink;
  sweep: number;
}

/**
 * Sweeps, a second each, in which a worker is to say that an attempt has arrived. Counted in sweeps and not by a clock: what
 * stalls the engine delays what it reads of its workers too. One more, since the first may come at once.
 */
const patience = 5 + 1;

/**
 * The attempts that were written to a stream of which their workers have said nothing yet. One is unanswered once its worker
 * has said nothing of any task for as long. A worker whose heartbeats come
 * from a thread of its own looks alive while the loop that runs its tasks is blocked; only what it says of an attempt
 * proves that it takes work.
 */
export class AnswerWatch {
  /** In the order in which they were sent. */
  readonly #awaited = new Map<string, Sent>();
  /** Those that the planner was told of: whatever is said of one shows that its worker is back. */
  readonly #unanswered = new Map<string, WorkerSession>();
  #sweep = 0;

  sent(session: WorkerSession, link: WorkerLink, attempt: SentAttempt): void {
    const key = keyOf(attempt);
    this.#awaited.delete(key); // one that was sent before goes to the end
    this.#awaited.set(key, { ...attempt, session, link, sweep: this.#sweep });
  }

  /**
   * Something was said of an attempt, by its worker as far as that is known.
   * @returns the worker that had not answered when it was sent, and does so now
   */
  heard(
    attempt: Pick<SentAttempt, 'taskId' | 'batchId'> & { attempt: number | null },
    speaker: WorkerSession | undefined,
  ): WorkerSession | undefined {
    const key = keyOf(attempt);
    if (speaker !== undefined) speaker.heardSweep = this.#sweep;
    this.#awaited.delete(key);
    const session = this.#unanswered.get(key);
    if (session !== undefined) this.forget(session);
    return session;
  }

  /** One more second has passed. @returns what is due, by worker */
  due(): Map<WorkerSession, SentAttempt[]> {
    this.#sweep++;
    const due = new Map<WorkerSession, SentAttempt[]>();
    for (const [key, { session, link, sweep, ...attempt }] of this.#awaited) {
      if (sweep + patience > this.#sweep) break;
      // It is slow, not blocked: it gets to this one too, and moving what waits in a busy worker would only make it busier.
      if (session.link === link && session.heardSweep + patience > this.#sweep) continue;
      this.#awaited.delete(key);
      // On another stream since: what becomes of it is found out there.
      if (session.link !== link) continue;
      const attempts = due.get(session);
      if (attempts === undefined) due.set(session, [attempt]);
      else attempts.push(attempt);
    }
    return due;
  }

  /** The planner is being told of these. */
  told(session: WorkerSession, attempts: readonly SentAttempt[]): void {
    for (const key of attempts.map(keyOf)) {
      this.#unanswered.set(key, session);
      session.unanswered.add(key);
    }
  }

  /** Nothing is expected of the worker any more. */
  forget(session: WorkerSession): void {
    for (const key of session.unanswered) this.#unanswered.delete(key);
    session.unanswered.clear();
  }
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
