import type { UiState } from './ui-state.ts';

/** Last lines of a crashed worker that are shown. */
export const crashLines = 3;

/** Lines that tell more of a log's selected node. */
export const nodeRows = 4;

/** Lines that tell more of a list's selected row. */
export const detailRows = 5;

type Size = Pick<UiState, 'rows' | 'dev'>;

/** Lines between the head and the status bar, at a height of the terminal: one row less than it has, or it would scroll. */
export function bodyRows({ rows, dev }: Size): number {
  return Math.max(4, rows - 4 - bannerRows(dev));
}

/** Lines that a session's trouble takes beneath the head. */
function bannerRows(dev: UiState['dev']): number {
  if (dev === undefined) return 0;
  if (dev.trouble !== undefined) return 2;
  if (dev.problems.length > 0) return 1;
  if (dev.mismatches.length > 0) return 4;
  if (dev.crash !== undefined) return 1 + Math.min(crashLines, dev.crash.lines.length);
  return dev.held.length + dev.typeProblems.length > 0 ? 1 : 0;
}

/** Rows of a table that fit beneath its heading. */
export function tableRows(state: Size): number {
  return bodyRows(state) - 1;
}

/** Lines of a list, section titles included; the rest is for the details. */
export function listRows(state: Size): number {
  return Math.max(3, bodyRows(state) - detailRows);
}

/** First row drawn, so that the selected one stays in sight. */
export function windowStart(selected: number, total: number, height: number): number {
  return Math.max(0, Math.min(selected - Math.floor(height / 2), total - height));
}
