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
/** A run that is over may be replayed by others. */
const overMs = 15_000;
/** Of a run with more the first are dropped. */
const keptEvents = 20_000;

export interface OpenRun {
  detail: RunDetail | undefined;
  events: readonly EventRow[];
  error: Error | undefined;
  reload: () => void;
}

/** One run with its transitions, as they come. For one id as long as it is shown: the view of another run begins anew. */
export function useRun(runId: string): OpenRun {
  const [turn, setTurn] = useState(0);
  const [events, setEvents] = useState<readonly EventRow[]>([]);
  const { value: detail, error, reload } = useAnswer(`run ${runId}`, (calls, signal) => getRun(calls, runId, signal));
  const after = useRef<string>(undefined);
  const hasEnded = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const later = useCallback(() => {
    if (timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      reload();
    }, gatherMs);
  }, [reload]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const streamError = useFollow(`run ${runId} ${turn}`, {
    open: (calls, reader) => streamEvents(calls, { runId, after: after.current }, reader),
    onMessage: ({ events: more, cursor }) => {
      if (cursor !== '') after.current = cursor;
      if (more.length === 0) return;
      setEvents((before) => [...before, ...more].slice(-keptEvents));
      later();
    },
    mayEnd: true,
    onEnd: () => {
      hasEnded.current = true;
      reload();
    },
  });
  const isUnderWay = detail !== undefined && !isTerminal(detail.run.status);
  useEffect(() => {
    const interval = setInterval(
      () => {
        if (!document.hidden) reload();
      },
      isUnderWay ? waitingMs : overMs,
    );
    return () => clearInterval(interval);
  }, [isUnderWay, reload]);
  useEffect(() => {
    // Somebody has replayed or branched it: its events go on after those that were read.
    if (!hasEnded.current || detail === undefined || isTerminal(detail.run.status)) return;
    hasEnded.current = false;
    setTurn((before) => before + 1);
  }, [detail]);
  return {
    detail,
    events,
    error: detail === undefined ? error : streamError,
    reload,
  };
}
