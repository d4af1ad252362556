import { useEffect } from 'react';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunReader } from '../../monitor/run-reader.ts';
import type { UiAction } from '../model/ui-state.ts';

const retryMs = 500;

interface DurableFeed {
  connect: (() => RunReader) | undefined;
  runId: string | undefined;
  /** Of the run's durable tasks, with spaces between. */
  taskIds: string;
  dispatch: (action: UiAction) => void;
}

/** The logs of the open run's durable tasks, each by a stream of its own. */
export function useDurableFeed({ connect, runId, taskIds, dispatch }: DurableFeed): void {
  useEffect(() => {
    if (connect === undefined || runId === undefined || taskIds === '') return undefined;
    const abort = new AbortController();
    for (const taskId of taskIds.split(' ')) void follow({ connect, runId, taskId, dispatch, signal: abort.signal });
    return () => abort.abort();
  }, [connect, runId, taskIds, dispatch]);
}

/** A stream that begins anew tells the whole log again, which changes nothing. */
async function follow(options: {
  connect: () => RunReader;
  runId: string;
  taskId: string;
  dispatch: (action: UiAction) => void;
  signal: AbortSignal;
}): Promise<void> {
  const { connect, runId, taskId, dispatch, signal } = options;
  while (!signal.aborted) {
    let reader: RunReader | undefined;
    try {
      reader = connect();
      for await (const log of reader.streamDurableLog(taskId, signal)) dispatch({ type: 'durable-log', runId, log });
    } catch {
      // The runs' feed says that the engine is away.
    } finally {
      reader?.close();
    }
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
  }
}
