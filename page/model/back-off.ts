const shortestMs = 500;
const longestMs = 15_000;

/** How long to wait before the next try, after so many that failed. Up to a fifth more, so that not all pages come back at once. */
export function backOffMs(failures: number, random: () => number = Math.random): number {
  const base = Math.min(longestMs, shortestMs * 2 ** Math.max(0, Math.min(failures - 1, 10)));
  return Math.round(base * (1 + random() / 5));
}
