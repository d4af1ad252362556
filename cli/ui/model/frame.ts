import type { UiState } from './ui-state.ts';

/** The smallest terminal that is drawn on. */
export const smallest = { rows: 10, columns: 40 };

/** Last lines of a crashed worker that are shown. */
export const crashLines = 3;

/** From here on there is room for every pane's name and every column. */
const wideFrom = 72;
/** From here on there is room for a second line of status, and for blank lines. */
const tallFrom = 16;

export function isTooSmall({ rows, columns }: Pick<UiState, 'rows' | 'columns'>): boolean {
  return rows < smallest.rows || columns < smallest.columns;
}

export function isWide({ columns }: Pick<UiState, 'columns'>): boolean {
  return columns >= wideFrom;
}

export function isTall({ rows }: Pick<UiState, 'rows'>): boolean {
  return rows >= tallFrom;
}

/** Lines of the whole frame: one less than the terminal has, or it would scroll. */
export function frameRows({ rows }: Pick<UiState, 'rows'>): number {
  return rows - 1;
}

export function footerRows(state: Pick<UiState, 'rows'>): number {
  return isTall(state) ? 2 : 1;
}

/** Lines that a session's trouble takes beneath the head. */
export function bannerRows({ dev, rows }: Pick<UiState, 'dev' | 'rows'>): number {
  const wanted = wantedBannerRows(dev);
  return isTall({ rows }) ? wanted : Math.min(1, wanted);
}

function wantedBannerRows(dev: UiState['dev']): number {
  if (dev === undefined) return 0;
  if (dev.trouble !== undefined) return 2;
  if (dev.problems.length > 0) return 1;
  if (dev.mismatches.length > 0) return 4;
  if (dev.crash !== undefined) return 1 + Math.min(crashLines, dev.crash.lines.length);
  return dev.held.length + dev.typeProblems.length > 0 ? 1 : 0;
}

/** Lines above the body. */
export function headRows(state: Pick<UiState, 'dev' | 'rows'>): number {
  return 1 + bannerRows(state);
}

/** Lines that a dialog may take: it goes before what it is about. */
export function dialogRoom(state: Pick<UiState, 'dev' | 'rows'>): number {
  return Math.max(0, frameRows(state) - headRows(state) - footerRows(state));
}

/** Of a session whose engine is not there yet: how far it is stands in place of the runs. */
export function isStarting({ dev, overview, view }: Pick<UiState, 'dev' | 'overview' | 'view'>): boolean {
  return dev !== undefined && overview === undefined && view === 'runs';
}

/** First row drawn, so that the selected one stays in sight: in the middle, or in the row where it was clicked. */
export function windowStart(selected: number, total: number, height: number, row = Math.floor(height / 2)): number {
  return Math.max(0, Math.min(selected - Math.min(row, height - 1), total - height));
}

/** The row of a list in which its cursor stands because it was clicked there. */
export function clickedRow({ clicked }: Pick<UiState, 'clicked'>, list: string): number | undefined {
  return clicked?.list === list ? clicked.row : undefined;
}
