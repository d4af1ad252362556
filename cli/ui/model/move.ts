import type { Key } from './ui-state.ts';

const steps: Readonly<Record<string, (page: number) => number>> = {
  up: () => -1,
  down: () => 1,
  pageUp: (page) => -page,
  pageDown: (page) => page,
  home: () => Number.NEGATIVE_INFINITY,
  end: () => Number.POSITIVE_INFINITY,
};

/** How far a key moves in a list; arrows, pages and vi's letters. */
export function movement(key: Key, page: number): number | undefined {
  const name = key.name ?? { k: 'up', j: 'down', g: 'home', G: 'end' }[key.input];
  return name === undefined ? undefined : steps[name]?.(page);
}

/** A place in a list of `total` after a move. */
export function moved(at: number, by: number, total: number): number {
  return Math.min(total - 1, Math.max(0, at + by));
}
