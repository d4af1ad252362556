import { setTimeout as delay } from 'node:timers/promises';

/** What is asked again and again stands for a stream. Milliseconds. */
export const pollMs = {
  /** Of a run that somebody waits for. */
  run: 500,
  /** Of all runs. */
  runs: 1_000,
  logs: 1_000,
  /** Counts, workers, workflows, crons. */
  figures: 2_000,
} as const;

/** What a read gives, at once and then after each pause, until the signal. */
export async function* repeated<T>(
  everyMs: number,
  signal: AbortSignal,
  read: (count: number) => T | Promise<T>,
): AsyncGenerator<T, void, undefined> {
  for (let count = 0; !signal.aborted; count++) {
    yield await read(count);
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** The number of each poll. */
export function polls(everyMs: number, signal: AbortSignal): AsyncGenerator<number, void, undefined> {
  return repeated(everyMs, signal, (count) => count);
}
