import { useCallback, useEffect, useRef, useState } from 'react';
import type { EventRow, RunDetail } from '../../../cli/monitor/run-reader.ts';
import { isTerminal } from '../../../cli/status-name.ts';
import { getRun, streamEvents } from '../../data/run-calls.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { useFollow } from '../../hooks/use-follow.ts';

/** Events are one by one; the run is read again once for those of this long. */
const gatherMs = 250;
/** Why a task waits changes without an event of its run. */
const waitingMs = 4_000;
/** Of a run with more the first are dropped. */
const keptEvents = 20_000;

export interface OpenRun {
  detail: RunDetail | undefined;
  events: readonly EventRow[];
  error: Error | undefined;
  reload: () => void;
  /** After what opens a run that was over once more. */
  followAgain: () => void;
}

/** One run with its transitions, as they come. */
export function useRun(runId: string): OpenRun {
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<{ runId: string; events: readonly EventRow[] }>({ runId, events: [] });
  const { value: detail, error, reload } = useAnswer(`run ${runId}`, (calls, signal) => getRun(calls, runId, signal));
  const after = useRef<{ runId: string; cursor: string | undefined }>({ runId, cursor: undefined });
  if (after.current.runId !== runId) after.current = { runId, cursor: undefined };
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const later = useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      reload();
    }, gatherMs);
  }, [reload]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const streamError = useFollow(`run ${runId} ${turn}`, {
    open: (calls, reader) => streamEvents(calls, { runId, after: after.current.cursor }, reader),
    onMessage: ({ events, cursor }) => {
      if (cursor !== '') after.current.cursor = cursor;
      if (events.length === 0) return;
      setState((before) => ({
        runId,
        events: [...(before.runId === runId ? before.events : []), ...events].slice(-keptEvents),
      }));
      later();
    },
    mayEnd: true,
  });
  const isOver = detail !== undefined && isTerminal(detail.run.status);
  useEffect(() => {
    if (isOver || detail === undefined) return undefined;
    const interval = setInterval(() => {
      if (!document.hidden) reload();
    }, waitingMs);
    return () => clearInterval(interval);
  }, [isOver, detail === undefined, reload]);
  const followAgain = useCallback(() => {
    setTurn((before) => before + 1);
    reload();
  }, [reload]);
  return {
    detail,
    events: state.runId === runId ? state.events : [],
    error: detail === undefined ? error : streamError,
    reload,
    followAgain,
  };
}
