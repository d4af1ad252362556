import { useEffect } from 'react';
import { setTimeout as delay } from 'node:timers/promises';
import { NotOffered } from '../../monitor/not-offered.ts';
import type { RunReader } from '../../monitor/run-reader.ts';
import type { UiAction, ViewName } from '../model/ui-state.ts';

const retryMs = 500;

type Figures = Extract<ViewName, 'queues' | 'schedules'>;

interface FiguresFeed {
  connect: (() => RunReader) | undefined;
  view: ViewName;
  dispatch: (action: UiAction) => void;
}

/** Queues, or crons and scheduled runs, while their view is open: the engine computes what is looked at, and no more. */
export function useFiguresFeed({ connect, view, dispatch }: FiguresFeed): void {
  useEffect(() => {
    if (connect === undefined || (view !== 'queues' && view !== 'schedules')) return undefined;
    const abort = new AbortController();
    void follow({ connect, view, dispatch, signal: abort.signal });
    return () => abort.abort();
  }, [connect, view, dispatch]);
}

async function follow(options: {
  connect: () => RunReader;
  view: Figures;
  dispatch: (action: UiAction) => void;
  signal: AbortSignal;
}): Promise<void> {
  const { connect, view, dispatch, signal } = options;
  while (!signal.aborted) {
    let reader: RunReader | undefined;
    try {
      reader = connect();
      if (view === 'queues')
        for await (const figures of reader.streamQueues(signal)) dispatch({ type: 'queues', figures });
      else for await (const figures of reader.streamSchedules(signal)) dispatch({ type: 'schedules', figures });
    } catch (error) {
      // Else the runs' feed says that the engine is away.
      if (error instanceof NotOffered)
        return dispatch({ type: 'without-queues', text: `${error.message}. ${error.remedy ?? ''}` });
    } finally {
      reader?.close();
    }
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
  }
}
