/** No retry waits longer than a day. */
export const longestSeconds = 86_400;

export interface Backoff {
  /** 1–1000; without it a retry is at once. */
  factor: number | null;
  /** Seconds; without it only the day's cap holds. */
  maxSeconds: number | null;
}

/** Milliseconds before retry `n` (from 1): min(maxSeconds, factor^n) seconds. */
export function retryDelayMs(n: number, backoff: Backoff): number {
  if (backoff.factor === null) return 0;
  const seconds = Math.min(backoff.factor ** n, backoff.maxSeconds ?? longestSeconds, longestSeconds);
  return Math.round(seconds * 1000);
}
