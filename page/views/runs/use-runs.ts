import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { parseRunQuery, type RunQuery } from '../../../cli/monitor/run-query.ts';
import type { EventRow } from '../../../cli/monitor/run-reader.ts';
import { listRuns, streamEvents } from '../../data/run-calls.ts';
import { useFollow } from '../../hooks/use-follow.ts';
import { RunTable } from '../../model/run-table.ts';
import { useCalls } from '../../session/session.ts';

const firstPage = 200;
const olderPage = 500;
/** What events do not tell of new runs is read this often at most. */
const wishMs = 2_000;
/** So many changes are not kept back for the next frame. */
const mostQueued = 5_000;

export interface Runs {
  table: RunTable;
  query: RunQuery;
  /** Whether the first page has been read. */
  isRead: boolean;
  error: Error | undefined;
  hasOlder: boolean;
  loadOlder: () => void;
}

/** The runs that fit a filter, as they change. What came since the last frame is taken in at the next one, at once. */
export function useRuns(filter: string): Runs {
  const calls = useCalls();
  const { table, query } = useMemo(() => {
    const parsed = parseRunQuery(filter);
    return { table: new RunTable(parsed), query: parsed };
  }, [filter]);
  const [, redraw] = useState(0);
  const [listed, setListed] = useState<{ table: RunTable; older: string | null; error: Error | undefined }>();
  const feed = useRef({ table, queued: new Array<EventRow>(), frame: 0, after: new Map<RunTable, string>() });
  feed.current.table = table;

  const flush = useCallback(() => {
    const { current } = feed;
    cancelAnimationFrame(current.frame);
    current.frame = 0;
    current.table.apply(current.queued);
    current.queued = [];
    redraw((turn) => turn + 1);
  }, []);

  const list = useCallback(
    async (page: string | undefined): Promise<void> => {
      try {
        const { rows, next } = await listRuns(calls, query, {
          limit: page === undefined ? firstPage : olderPage,
          ...(page === undefined ? {} : { page }),
        });
        table.merge(rows);
        setListed((before) =>
          before?.table === table && page === undefined && before.error === undefined
            ? { ...before, error: undefined }
            : { table, older: next, error: undefined },
        );
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error));
        setListed((before) => ({ table, older: before?.table === table ? before.older : null, error: failure }));
      }
    },
    [calls, query, table],
  );

  const streamError = useFollow(`runs ${filter}`, {
    open: (own, reader) =>
      streamEvents(own, { after: feed.current.after.get(table), workflows: query.workflows }, reader),
    onMessage: ({ events, cursor }) => {
      const { current } = feed;
      // The list is read once the stream is open, so that nothing falls in between.
      if (!current.after.has(table)) {
        current.after = new Map([[table, cursor]]);
        current.queued = [];
        void list(undefined);
      } else if (cursor !== '') current.after.set(table, cursor);
      if (events.length === 0) return;
      current.queued.push(...events);
      if (current.queued.length > mostQueued) flush();
      else if (current.frame === 0) current.frame = requestAnimationFrame(flush);
    },
  });

  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && table.takeWish()) void list(undefined);
    }, wishMs);
    return () => clearInterval(timer);
  }, [table, list]);

  const isOwn = listed !== undefined && listed.table === table;
  const older = isOwn ? listed.older : null;
  const loading = useRef<string>(undefined);
  const loadOlder = useCallback(() => {
    if (older === null || loading.current === older || table.isFull) return;
    loading.current = older;
    void list(older).finally(() => {
      loading.current = undefined;
    });
  }, [older, list, table]);
  return {
    table,
    query,
    isRead: isOwn,
    error: streamError ?? (isOwn ? listed.error : undefined),
    hasOlder: older !== null && !table.isFull,
    loadOlder,
  };
}
