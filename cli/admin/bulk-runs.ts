import type { RunFilter, RunReader, RunRow } from '../monitor/run-reader.ts';
import { plainText } from '../output/plain-text.ts';

const pageRuns = 1000;
const piece = 500;
/** Workflows that are named one by one; of more, the last place is for the others together. */
const named = 5;

/** All runs that a filter means, newest first, a page at a time. */
export async function* runPages(
  reader: Pick<RunReader, 'listRuns'>,
  filter: RunFilter,
): AsyncGenerator<readonly RunRow[]> {
  for (let page: string | null | undefined; page !== null;) {
    const read = await reader.listRuns({ ...filter, limit: pageRuns, ...(page === undefined ? {} : { page }) });
    yield read.rows;
    page = read.next;
  }
}

/** `40 of order, 2 of mail`. */
export function breakdown(runs: Iterable<Pick<RunRow, 'workflow'>>): string {
  const counts = new Map<string, number>();
  for (const { workflow } of runs) counts.set(workflow, (counts.get(workflow) ?? 0) + 1);
  const list = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([workflow, count]) => `${count.toLocaleString('en-US')} of ${plainText(workflow)}`);
  return list.length > named
    ? `${list.slice(0, named - 1).join(', ')} and ${list.length - named + 1} other workflows`
    : list.join(', ');
}

/** In pieces, so that an interrupt stops between two and no call is too long. @returns how many were handled; less than all when interrupted */
export async function inPieces<T>(
  items: readonly T[],
  options: { signal: AbortSignal; act: (items: readonly T[]) => Promise<void>; onPiece: (handled: number) => void },
): Promise<number> {
  let handled = 0;
  while (handled < items.length && !options.signal.aborted) {
    const next = Math.min(handled + piece, items.length);
    await options.act(items.slice(handled, next));
    handled = next;
    options.onPiece(handled);
  }
  return handled;
}
