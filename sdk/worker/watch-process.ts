import { asError, isError } from '../errors.ts';
import { safely, textFieldOf, textOf } from '../failure/safe-reads.ts';
import type { Logger } from '../logger.ts';
import { isCancelled, ownerOf } from '../run/forgotten-calls.ts';
import { currentParentRun } from '../run/parent-run.ts';

/** Of the runs under way, those that are named. */
const mostNamed = 20;

/** A worker, as its process is watched for it. */
export interface WatchedWorker {
  readonly logger: Logger;
  /** What it runs, in words. */
  underWay(): readonly string[];
}

const workers = new Set<WatchedWorker>();

/**
 * A task that is cancelled has its waits rejected, also those that its code has begun and not come to yet, and what the
 * code made of them (`Promise.all`). Nobody may ever wait for these, nor for another call of a task's context that failed:
 * that must not end the process with all its other tasks, and goes to the task's log. Any other rejection ends the process
 * as ever, or goes to the program's own listener. Whatever ends it, its workers say what they were running.
 * @returns takes the listeners away again
 */
export function watchProcess(worker: WatchedWorker): () => void {
  if (workers.size === 0) {
    process.on('unhandledRejection', handleRejection);
    process.on('exit', handleExit);
  }
  workers.add(worker);
  return () => {
    if (!workers.delete(worker) || workers.size > 0) return;
    process.off('unhandledRejection', handleRejection);
    process.off('exit', handleExit);
  };
}

function handleRejection(reason: unknown): void {
  const owner = ownerOf(reason);
  if (owner !== undefined) return owner.forget(reason);
  if (isCancelled(reason) || process.listenerCount('unhandledRejection') > 1) return;
  const task = currentParentRun();
  const whose = task === undefined ? '' : ` of the task ${task.taskRunExternalId}`;
  for (const { logger } of workers)
    void logger.error(
      `a promise${whose} was rejected, and nobody waits for it: that ends this process`,
      asError(reason),
    );
  throw isError(reason) ? reason : new Error(`a promise was rejected that nobody waits for: ${textOf(reason)}`);
}

/** Only what is done at once is done here: Node waits for nothing any more. */
function handleExit(code: number): void {
  for (const worker of workers) {
    const labels = safely(() => worker.underWay(), []);
    if (labels.length === 0) continue;
    const more = labels.length > mostNamed ? ` and ${labels.length - mostNamed} more` : '';
    void worker.logger.error(
      `the process ends with exit code ${code}${exitPlace()} while ${labels.length} ${labels.length === 1 ? 'task runs' : 'tasks run'}: ${labels.slice(0, mostNamed).join(', ')}${more}. They start again on another worker`,
    );
  }
}

/** Where `process.exit` was called, if it was: its event comes from within the call. */
function exitPlace(): string {
  const frames = textFieldOf(new Error('here'), 'stack')?.split('\n') ?? [];
  const exit = frames.findIndex((frame) => /^\s*at (?:process\.|Object\.)?(?:exit|reallyExit)\b/.test(frame));
  const caller = exit === -1 ? undefined : frames[exit + 1]?.trim().replace(/^at /, '');
  return caller === undefined ? '' : `, by process.exit in ${caller}`;
}
