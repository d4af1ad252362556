import type { Logger } from '../base/log.ts';

/** Does each, whatever becomes of the others: what one throws is logged, and is no concern of the rest. */
export function eachApart<T>(log: Logger, items: Iterable<T>, work: (item: T) => void): void {
  for (const item of items) {
    try {
      work(item);
    } catch (error) {
      log.error({ err: error }, 'what follows from a transaction could not be done in part: this is a bug');
    }
  }
}
