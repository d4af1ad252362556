import { useCallback, useEffect, useState } from 'react';
import { useCalls } from '../session/session.ts';
import type { EngineCalls } from '../data/engine-calls.ts';
import { useLatest } from './latest.ts';

export interface Answer<T> {
  /** The newest that was read; what was read for another key is not shown. */
  value: T | undefined;
  error: Error | undefined;
  loading: boolean;
  reload: () => void;
}

/**
 * What the engine answers to one call, read again whenever the key or the version changes, at `reload`, and every
 * `everyMs`. While it is read again for the same key the old value stays.
 */
export function useAnswer<T>(
  key: string | undefined,
  read: (calls: EngineCalls, signal: AbortSignal) => Promise<T>,
  options: { everyMs?: number; version?: string | number | undefined } = {},
): Answer<T> {
  const calls = useCalls();
  const { everyMs, version } = options;
  const latest = useLatest(read);
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<{ key: string; value: T | undefined; error: Error | undefined }>();
  const [loading, setLoading] = useState(key !== undefined);
  useEffect(() => {
    if (key === undefined) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      setLoading(true);
      try {
        const value = await latest.current(calls, abort.signal);
        if (!abort.signal.aborted) setState({ key, value, error: undefined });
      } catch (error) {
        if (!abort.signal.aborted)
          setState((before) => ({
            key,
            value: before?.key === key ? before.value : undefined,
            error: error instanceof Error ? error : new Error(String(error)),
          }));
      }
      if (abort.signal.aborted) return;
      setLoading(false);
      if (everyMs !== undefined) timer = setTimeout(() => void again(), everyMs);
    };
    const again = async (): Promise<void> => {
      // A page in the background reads nothing; it looks once more a moment later.
      if (document.hidden) timer = setTimeout(() => void again(), everyMs ?? 1_000);
      else await load();
    };
    void load();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- a turn and a version are reasons to read again
  }, [calls, key, turn, everyMs, version, latest]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const isOwn = state !== undefined && state.key === key;
  return { value: isOwn ? state.value : undefined, error: isOwn ? state.error : undefined, loading, reload };
}
