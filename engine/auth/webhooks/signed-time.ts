/** How old, or how far ahead, a signed time may be: a request that was overheard cannot be sent again later. */
export const toleranceMs = 5 * 60_000;

/** What is wrong with the time that a sender signed; undefined for nothing. */
export function staleTime(ms: number, nowMs: number): string | undefined {
  if (!Number.isFinite(ms)) return 'its time of signing is not a number';
  return Math.abs(nowMs - ms) <= toleranceMs ? undefined : 'its time of signing is more than 5 minutes off';
}

/** Seconds since 1970 as headers carry them, in milliseconds; NaN for anything else. */
export function secondsHeader(text: string): number {
  return /^\d{1,12}$/.test(text.trim()) ? Number(text) * 1000 : Number.NaN;
}
