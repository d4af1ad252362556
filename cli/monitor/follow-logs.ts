import { setTimeout as delay } from 'node:timers/promises';
import { ServerError } from '../output/server-error.ts';
import type { FollowHooks } from './follow-events.ts';
import type { LogRow, RunReader } from './run-reader.ts';

const retryMs = 500;

/** A run's log lines until it has ended, across disconnects, each exactly once. Who follows events too, hears of the loss there. */
export async function* followLogs(
  connect: () => RunReader,
  runId: string,
  { signal }: Pick<FollowHooks, 'signal'>,
): AsyncGenerator<readonly LogRow[], void, undefined> {
  let after: string | undefined;
  while (!signal.aborted) {
    const reader = connectable(connect);
    try {
      if (reader !== undefined) {
        for await (const lines of reader.streamLogs(runId, after, signal)) {
          after = lines.at(-1)?.cursor ?? after;
          yield lines;
        }
        return;
      }
    } catch (error) {
      if (!(error instanceof ServerError) || !error.mayPass) throw error;
    } finally {
      reader?.close();
    }
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** No engine at the moment is no error here. */
function connectable(connect: () => RunReader): RunReader | undefined {
  try {
    return connect();
  } catch {
    return undefined;
  }
}
