import { attemptKey, type WorkerSession } from './worker-session.ts';

interface Attempt {
  taskId: string;
  attempt: number;
}

/** How long a worker that came back may take to show that it has an attempt. */
const unstartedMs = 15_000;

/**
 * A worker's stream has come back. What it has started stays with it. An attempt that was written to the stream that broke may
 * or may not have arrived: without a sign in time it goes elsewhere.
 * @param unstarted its attempts that have given no sign of a start
 */
export function watchUnstarted(session: WorkerSession, unstarted: readonly Attempt[], nowMs: number): void {
  const attempts = unstarted.filter(({ taskId, attempt }) => !session.sending.has(attemptKey(taskId, attempt)));
  if (attempts.length > 0) session.suspects.push({ untilMs: nowMs + unstartedMs, attempts });
}

/** Those whose time is over. They may have started since: the planner knows. */
export function takeUnstarted(session: WorkerSession, nowMs: number): Attempt[] {
  const due: Attempt[] = [];
  while ((session.suspects[0]?.untilMs ?? Infinity) <= nowMs) due.push(...(session.suspects.shift()?.attempts ?? []));
  return due;
}
