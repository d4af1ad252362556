import { useEffect } from 'react';
import { followEvents } from '../../monitor/follow-events.ts';
import type { RunReader } from '../../monitor/run-reader.ts';
import type { UiAction } from '../model/ui-state.ts';

type Dispatch = (action: UiAction) => void;
type Connect = () => RunReader;

const firstPage = 200;

/** Every run's transitions into the model. The list is read once the stream is open, so that nothing falls in between. */
export function useRunsFeed(connect: Connect | undefined, dispatch: Dispatch): void {
  useEffect(() => {
    if (connect === undefined) return undefined;
    const abort = new AbortController();
    void follow(connect, dispatch, abort.signal).catch((error: unknown) => {
      if (abort.signal.aborted) return;
      dispatch({ type: 'connection', connection: 'lost' });
      dispatch({ type: 'notice', text: error instanceof Error ? error.message : String(error), atMs: Date.now() });
    });
    return () => abort.abort();
  }, [connect, dispatch]);
}

async function follow(connect: Connect, dispatch: Dispatch, signal: AbortSignal): Promise<void> {
  let listed = false;
  const hooks = {
    signal,
    patienceMs: Number.POSITIVE_INFINITY,
    onLost: () => dispatch({ type: 'connection', connection: 'lost' }),
    onBack: () => dispatch({ type: 'connection', connection: 'live' }),
  };
  for await (const { events } of followEvents(connect, {}, hooks)) {
    if (!listed) {
      listed = true;
      dispatch({ type: 'connection', connection: 'live' });
      void list(connect, dispatch);
    }
    if (events.length > 0) dispatch({ type: 'events', events });
  }
}

async function list(connect: Connect, dispatch: Dispatch): Promise<void> {
  const reader = connect();
  try {
    const { rows, next } = await reader.listRuns({ limit: firstPage });
    dispatch({ type: 'runs-listed', rows, next });
  } catch (error) {
    dispatch({ type: 'notice', text: error instanceof Error ? error.message : String(error), atMs: Date.now() });
  } finally {
    reader.close();
  }
}
