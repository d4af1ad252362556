import { dialogRows } from './dialogs/dialog-content.ts';
import { dialogRoom } from './frame.ts';
import type { UiState } from './ui-state.ts';

type Size = Pick<UiState, 'rows' | 'columns' | 'dev' | 'dialog' | 'view' | 'searches'>;

/** Lines between the head and what is below: a dialog, if there is one, and the status bar. */
export function bodyRows(state: Size): number {
  return Math.max(0, dialogRoom(state) - dialogRows(state));
}

/** Rows of a table that fit beneath its heading. */
export function tableRows(state: Size): number {
  return Math.max(1, bodyRows(state) - 1);
}

/** Lines that tell more of a list's selected row. */
export function detailRows(state: Size): number {
  return bodyRows(state) < 10 ? 0 : 5;
}

/** Lines of a list, section titles included; the rest is for the details. */
export function listRows(state: Size): number {
  return Math.max(1, bodyRows(state) - detailRows(state));
}
