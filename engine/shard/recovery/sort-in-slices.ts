import type { Slice } from '../../base/yield-in-slices.ts';

/** What is sorted or merged before the event loop may have a turn. */
const chunk = 2_000;

/** Sorts by a number, stable, without keeping the event loop for longer than a slice however much there is. */
export async function sortInSlices<T>(items: readonly T[], keyOf: (item: T) => number, slice: Slice): Promise<T[]> {
  let runs: T[][] = [];
  for (let from = 0; from < items.length; from += chunk) {
    runs.push(items.slice(from, from + chunk).sort((a, b) => keyOf(a) - keyOf(b)));
    await slice.pause();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let at = 0; at < runs.length; at += 2)
      merged.push(await merge(runs[at] ?? [], runs[at + 1] ?? [], { keyOf, slice }));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(
  left: readonly T[],
  right: readonly T[],
  { keyOf, slice }: { keyOf: (item: T) => number; slice: Slice },
): Promise<T[]> {
  const merged: T[] = [];
  let at = 0;
  for (const item of left) {
    const key = keyOf(item);
    for (let other = right[at]; other !== undefined && keyOf(other) < key; other = right[at]) {
      merged.push(other);
      at++;
      if (merged.length % chunk === 0) await slice.pause();
    }
    merged.push(item);
    if (merged.length % chunk === 0) await slice.pause();
  }
  for (; at < right.length; at++) {
    const item = right[at];
    if (item !== undefined) merged.push(item);
    if (merged.length % chunk === 0) await slice.pause();
  }
  return merged;
}
