import { bannerLines, type BannerLine } from './banner.ts';
import type { UiState } from './ui-state.ts';

/** The smallest terminal that is drawn on. */
export const smallest = { rows: 10, columns: 40 };

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

/** A session's trouble, as far as there is room for it beneath the head. */
export function shownBanner(state: Pick<UiState, 'dev' | 'rows' | 'columns'>): readonly BannerLine[] {
  return isTall(state) ? bannerLines(state, 3) : bannerLines(state, 1).slice(0, 1);
}

/** Lines above the body. */
export function headRows(state: Pick<UiState, 'dev' | 'rows' | 'columns'>): number {
  return 1 + shownBanner(state).length;
}

/** Lines that a dialog may take: it goes before what it is about. */
export function dialogRoom(state: Pick<UiState, 'dev' | 'rows' | 'columns'>): number {
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
