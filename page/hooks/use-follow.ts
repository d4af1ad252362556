import { useEffect, useState } from 'react';
import { useCalls } from '../session/session.ts';
import type { EngineCalls, StreamReader } from '../data/engine-calls.ts';
import { keepFollowing } from '../data/keep-following.ts';
import { useLatest } from './latest.ts';

export interface Follow<T> {
  open: (calls: EngineCalls, reader: StreamReader) => AsyncIterable<T>;
  onMessage: (message: T) => void;
  mayEnd?: boolean;
  /** It has ended by itself. */
  onEnd?: () => void;
}

/**
 * Follows a stream for as long as the part is shown and the key stays the same; undefined follows nothing.
 * @returns why it is over, where trying again does not help
 */
export function useFollow<T>(key: string | undefined, follow: Follow<T>): Error | undefined {
  const calls = useCalls();
  const latest = useLatest(follow);
  const [failed, setFailed] = useState<{ key: string; error: Error }>();
  useEffect(() => {
    if (key === undefined) return undefined;
    const abort = new AbortController();
    const following = keepFollowing({
      open: (reader) => latest.current.open(calls, reader),
      onMessage: (message: T) => latest.current.onMessage(message),
      mayEnd: latest.current.mayEnd === true,
      signal: abort.signal,
    });
    following.then(
      () => {
        if (!abort.signal.aborted) latest.current.onEnd?.();
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setFailed({ key, error: error instanceof Error ? error : new Error(String(error)) });
      },
    );
    return () => abort.abort();
  }, [calls, key, latest]);
  return failed?.key === key ? failed?.error : undefined;
}
