import type { EventRow } from '../../../monitor/run-reader.ts';

/** A stay of a task on a worker. */
export interface Attempt {
  /** From 1. */
  number: number;
  workerId: string | null;
  startedAt: string | null;
  endedAt: string | null;
  /** The transition that ended it; null while it runs. */
  end: string | null;
  message: string;
}

/** Transitions that take a task from its worker. */
const ends: ReadonlySet<string> = new Set([
  'FINISHED',
  'FAILED',
  'TIMED_OUT',
  'CANCELLED',
  'REASSIGNED',
  'REQUEUED_NO_WORKER',
  'REQUEUED_RATE_LIMIT',
  'COULD_NOT_SEND_TO_WORKER',
  'DURABLE_EVICTED',
]);

/** Of one task, oldest first. A durable task that was evicted has one for each time that it came back. */
export function attemptsOf(events: readonly EventRow[], taskId: string): readonly Attempt[] {
  const attempts: Attempt[] = [];
  for (const { taskId: of, type, attempt, workerId, time, message } of events) {
    if (of !== taskId) continue;
    const open = attempts.at(-1);
    if (type === 'ASSIGNED')
      attempts.push({ number: attempt + 1, workerId, startedAt: time, endedAt: null, end: null, message: '' });
    else if (open === undefined || open.end !== null) continue;
    else if (type === 'STARTED')
      attempts[attempts.length - 1] = { ...open, startedAt: time, workerId: workerId ?? open.workerId };
    else if (ends.has(type)) attempts[attempts.length - 1] = { ...open, endedAt: time, end: type, message };
  }
  return attempts;
}
