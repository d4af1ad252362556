import { HatchetError } from '../base/errors.ts';
import type { Job } from './job.ts';

/** A command waits this long for an owner or for Postgres; official SDKs give up after ~13 s of errors, not of waiting. */
const longestWaitMs = 30_000;

/** Refuses the jobs that have waited for too long. @returns the others */
export function dropExpired(queue: Job[], nowMs: number): Job[] {
  const oldest = nowMs - longestWaitMs;
  const [first] = queue;
  if (first === undefined || first.queuedAtMs > oldest) return queue;
  for (const job of queue) {
    if (job.queuedAtMs <= oldest)
      job.reject(
        new HatchetError('NOT_OWNER', `no engine could take this on for ${longestWaitMs / 1000} s`, {
          remedy: 'Check that Postgres is reachable and that one engine is running, then try again.',
        }),
      );
  }
  return queue.filter((job) => job.queuedAtMs > oldest);
}
