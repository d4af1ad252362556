import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { streamEvents } from '../../data/run-calls.ts';
import { useFollow } from '../../hooks/use-follow.ts';
import { useCalls } from '../../session/session.ts';
import { RunFeed } from './run-feed.ts';

/** What events do not tell of new runs is read this often at most. */
const fillInMs = 2_000;

/** The runs that fit a filter, as they change. */
export function useRuns(filter: string): { feed: RunFeed; version: number; error: Error | undefined } {
  const calls = useCalls();
  const feed = useMemo(() => new RunFeed(calls, filter), [calls, filter]);
  const version = useSyncExternalStore(feed.subscribe, feed.version);
  const streamError = useFollow(`runs ${filter}`, {
    open: (own, reader) => streamEvents(own, { after: feed.cursor, workflows: feed.query.workflows }, reader),
    onMessage: feed.take,
  });
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) feed.fillIn();
    }, fillInMs);
    return () => clearInterval(timer);
  }, [feed]);
  return { feed, version, error: streamError ?? feed.error };
}
