/** Streams stay open for so long after the page went into the background: changing tabs and back costs nothing. */
const graceMs = 20_000;

/** Resolves once the page can be seen, or at the signal. */
export function pageVisible(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    document.addEventListener('visibilitychange', done);
    signal.addEventListener('abort', done);
    done();
  });
}

/** A signal that is raised at the given one, and once the page was in the background for a while. */
export function whileVisible(signal: AbortSignal): { signal: AbortSignal; stop: () => void } {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const raise = (): void => abort.abort();
  const look = (): void => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(raise, graceMs);
  };
  document.addEventListener('visibilitychange', look);
  signal.addEventListener('abort', raise);
  if (signal.aborted) raise();
  look();
  return {
    signal: abort.signal,
    stop: () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', raise);
    },
  };
}
