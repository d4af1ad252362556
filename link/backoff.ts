/** A pause that grows with each try. */
export interface Backoff {
  /** Milliseconds before the first repetition. */
  firstMs: number;
  longestMs: number;
}

/**
 * Milliseconds to wait after the nth failed try (from 0): doubling, at most longestMs, less up to half of it
 * by chance, so that many workers do not come back in step.
 * @param chance from 0 to 1
 */
export function backoffMs(backoff: Backoff, tries: number, chance: number): number {
  const full = Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.min(tries, 30));
  return Math.round(full * (1 - chance / 2));
}

/** Waits, or ends early and quietly when the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
