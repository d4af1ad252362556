import { useEffect } from 'react';
import { followEvents, type FollowHooks } from '../../monitor/follow-events.ts';
import { followLogs } from '../../monitor/follow-logs.ts';
import type { RunReader } from '../../monitor/run-reader.ts';
import { ExitCode } from '../../exit-codes.ts';
import { ServerError } from '../../output/server-error.ts';
import type { UiAction } from '../model/ui-state.ts';

type Dispatch = (action: UiAction) => void;
type Connect = () => RunReader;

/** One run into the model while it is open: its detail after each batch of its events, and its logs; anew with each revision. */
export function useRunFeed(options: {
  connect: Connect | undefined;
  runId: string | undefined;
  revision: number | undefined;
  dispatch: Dispatch;
}): void {
  const { connect, runId, revision, dispatch } = options;
  useEffect(() => {
    if (connect === undefined || runId === undefined || revision === undefined) return undefined;
    const abort = new AbortController();
    const hooks: FollowHooks = { signal: abort.signal, patienceMs: Number.POSITIVE_INFINITY };
    const quietly = (work: Promise<void>): void =>
      void work.catch((error: unknown) => {
        if (abort.signal.aborted) return;
        if (error instanceof ServerError && error.exitCode === ExitCode.unknown)
          dispatch({ type: 'run-missing', runId });
        else
          dispatch({ type: 'notice', text: error instanceof Error ? error.message : String(error), atMs: Date.now() });
      });
    quietly(events({ connect, runId, dispatch, hooks }));
    quietly(logs({ connect, runId, dispatch, hooks }));
    return () => abort.abort();
  }, [connect, runId, revision, dispatch]);
}

interface RunFeed {
  connect: Connect;
  runId: string;
  dispatch: Dispatch;
  hooks: FollowHooks;
}

async function events({ connect, runId, dispatch, hooks }: RunFeed): Promise<void> {
  const reader = connect();
  try {
    const read = async (): Promise<void> => dispatch({ type: 'run-detail', runId, detail: await reader.getRun(runId) });
    await read();
    for await (const batch of followEvents(connect, { runId }, hooks)) {
      if (batch.events.length === 0) continue;
      dispatch({ type: 'run-events', runId, events: batch.events });
      await read();
    }
  } finally {
    reader.close();
  }
}

async function logs({ connect, runId, dispatch, hooks }: RunFeed): Promise<void> {
  for await (const lines of followLogs(connect, runId, hooks)) dispatch({ type: 'run-logs', runId, lines });
}
