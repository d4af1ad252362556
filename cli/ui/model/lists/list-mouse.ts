import { moved } from '../move.ts';
import type { UiState } from '../ui-state.ts';
import { listItems, selectedIndex } from './list-items.ts';
import { listWindow, type ListViewName } from './list-lines.ts';

/** A list that fits is not scrolled: the cursor goes a row at a time. */
export function wheelList(state: UiState, view: ListViewName, by: number): UiState {
  const items = listItems(state);
  if (items.length === 0) return state;
  const { lines, height } = listWindow(state, view);
  const to = items[moved(selectedIndex(state, items), lines.length <= height ? Math.sign(by) : by, items.length)];
  return { ...state, cursors: { ...state.cursors, [view]: to?.id } };
}

/** @returns 'open' for the row that is chosen already */
export function clickLine(state: UiState, view: ListViewName, line: number): UiState | 'open' {
  const { lines, start, height, selected } = listWindow(state, view);
  const found = line < height ? lines[start + line] : undefined;
  if (found?.kind !== 'item') return state;
  return found.item === selected
    ? 'open'
    : { ...state, cursors: { ...state.cursors, [view]: found.item.id }, clicked: { list: view, row: line } };
}
