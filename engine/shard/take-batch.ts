import type { Job } from './job.ts';
import { batchChars } from './job-payloads.ts';

/** One transaction carries at most this. Larger batches cost more latency than they save (500 in flight beat 20,000). */
const batchCommands = 500;
/** What is no longer than this finds room in every batch: it does not wait for the long ones before it. */
const shortChars = 1024;

/**
 * The next batch's jobs, in order, and the queue without them; those that are not ready stay. Of two jobs of one task the
 * later never goes first.
 */
export function takeBatch(queue: readonly Job[], isReady: (job: Job) => boolean): { jobs: Job[]; left: Job[] } {
  const jobs: Job[] = [];
  const left: Job[] = [];
  const passed = new Set<string>();
  let chars = 0;
  let at = 0;
  for (; at < queue.length && jobs.length < batchCommands; at++) {
    const job = queue[at];
    if (job === undefined) break;
    const { weight } = job.payloads;
    const fits = jobs.length === 0 || weight <= shortChars || chars + weight <= batchChars;
    const taskId = 'taskId' in job.command ? job.command.taskId : undefined;
    if (!fits || !isReady(job) || (taskId !== undefined && passed.has(taskId))) {
      if (taskId !== undefined) passed.add(taskId);
      left.push(job);
      continue;
    }
    chars += weight;
    jobs.push(job);
  }
  return { jobs, left: left.length === 0 ? queue.slice(at) : left.concat(queue.slice(at)) };
}
