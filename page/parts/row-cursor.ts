import { useState } from 'react';
import { useKeys, type KeyHandlers } from '../hooks/keys.ts';

export interface RowCursor {
  /** The row that keys are about. */
  current: string | undefined;
  choose: (id: string) => void;
}

/** j, k and the arrows go through the rows of a list; `keys` get the row that is chosen. */
export function useRowCursor(
  ids: readonly string[],
  keys: Readonly<Record<string, (id: string) => void>> = {},
  element: (id: string) => HTMLElement | null = (id) => document.getElementById(`row-${id}`),
): RowCursor {
  const [chosen, setChosen] = useState<string>();
  const current = chosen !== undefined && ids.includes(chosen) ? chosen : undefined;
  const move = (step: number): void => {
    const at = current === undefined ? -1 : ids.indexOf(current);
    const next = ids[at < 0 ? 0 : Math.max(0, Math.min(ids.length - 1, at + step))];
    if (next === undefined) return;
    setChosen(next);
    element(next)?.scrollIntoView({ block: 'nearest' });
  };
  const handlers: Record<string, () => void> = {
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
  };
  const own: KeyHandlers = {
    ...handlers,
    ...Object.fromEntries(
      Object.entries(keys).map(([key, act]) => [key, current === undefined ? undefined : () => act(current)] as const),
    ),
  };
  useKeys(own);
  return { current, choose: setChosen };
}
