import type { Job } from './job.ts';

/** One transaction carries at most this. Larger batches cost more latency than they save (500 in flight beat 20,000). */
const batchCommands = 500;
const batchChars = 8 * 1024 * 1024;

/** The next batch's jobs, in order, and the queue without them; those that are not ready stay. */
export function takeBatch(queue: readonly Job[], isReady: (job: Job) => boolean): { jobs: Job[]; left: Job[] } {
  const jobs: Job[] = [];
  const left: Job[] = [];
  let chars = 0;
  let at = 0;
  for (; at < queue.length && jobs.length < batchCommands; at++) {
    const job = queue[at];
    if (job === undefined) break;
    if (!isReady(job)) {
      left.push(job);
      continue;
    }
    if (jobs.length > 0 && chars + job.size > batchChars) break;
    chars += job.size;
    jobs.push(job);
  }
  return { jobs, left: left.length === 0 ? queue.slice(at) : left.concat(queue.slice(at)) };
}
