import { inspect } from 'node:util';
import { TaskCancelledError } from '../errors.ts';

let holders = 0;

/**
 * A task that is cancelled has its waits rejected, also those that its code has begun and not come to yet, and what the
 * code made of them (`Promise.all`). Nobody may ever wait for these: that must not end the process with all its other
 * tasks. Any other rejection ends it as ever, or goes to the program's own listener.
 * @returns takes the listener away again
 */
export function ignoreCancelledRejections(): () => void {
  if (holders === 0) process.on('unhandledRejection', handle);
  holders += 1;
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    holders -= 1;
    if (holders === 0) process.off('unhandledRejection', handle);
  };
}

function handle(reason: unknown): void {
  if (reason instanceof TaskCancelledError || process.listenerCount('unhandledRejection') > 1) return;
  throw reason instanceof Error ? reason : new Error(`a promise was rejected that nobody waits for: ${inspect(reason)}`);
}
