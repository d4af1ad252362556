import type { Logger } from './log.ts';

/** Does what concerns nobody else: what it throws is logged, and the caller goes on. */
export function logAndGoOn(log: Logger, work: () => void): void {
  try {
    work();
  } catch (error) {
    log.error({ err: error }, 'a part of the engine could not take in what has happened: this is a bug');
  }
}

/** Does each, whatever becomes of the others. */
export function logAndGoOnEach<T>(log: Logger, items: Iterable<T>, work: (item: T) => void): void {
  for (const item of items) logAndGoOn(log, () => work(item));
}
