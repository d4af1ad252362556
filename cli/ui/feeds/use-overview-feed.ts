import { useEffect } from 'react';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunReader } from '../../monitor/run-reader.ts';
import type { UiAction } from '../model/ui-state.ts';

const retryMs = 500;

/** Engine figures, and with each change of them the workers; workflows when their list has changed. */
export function useOverviewFeed(connect: (() => RunReader) | undefined, dispatch: (action: UiAction) => void): void {
  useEffect(() => {
    if (connect === undefined) return undefined;
    const abort = new AbortController();
    void follow(connect, dispatch, abort.signal);
    return () => abort.abort();
  }, [connect, dispatch]);
}

async function follow(
  connect: () => RunReader,
  dispatch: (action: UiAction) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let reader: RunReader | undefined;
    try {
      reader = connect();
      let revision: string | undefined;
      for await (const overview of reader.streamOverview(signal)) {
        dispatch({ type: 'overview', overview, atMs: Date.now() });
        dispatch({ type: 'workers', workers: await reader.listWorkers({ all: false }) });
        if (overview.workflowsRevision === revision) continue;
        revision = overview.workflowsRevision;
        dispatch({ type: 'workflows', workflows: await reader.listWorkflows() });
      }
    } catch {
      // The runs' feed says that the engine is away.
    } finally {
      reader?.close();
    }
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
  }
}
