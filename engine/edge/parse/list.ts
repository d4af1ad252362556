import { invalid } from './invalid.ts';

/** @param what in the plural, as an error says it: `the event keys of workflow x` @throws HatchetError INVALID_ARGUMENT */
export function atMost<T>(items: readonly T[], what: string, most: number): readonly T[] {
  if (items.length > most) throw invalid(`${what} are ${items.length}`, `Send at most ${most}.`);
  return items;
}

/** @throws HatchetError INVALID_ARGUMENT */
export function entriesAtMost<T>(record: Readonly<Record<string, T>>, what: string, most: number): [string, T][] {
  const entries = Object.entries(record);
  if (entries.length > most) throw invalid(`${what} are ${entries.length}`, `Give at most ${most}.`);
  return entries;
}
