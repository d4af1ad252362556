import stringWidth from 'string-width';
import { isWide } from './frame.ts';
import { views, type UiState, type ViewName } from './ui-state.ts';

const titles: Readonly<Record<ViewName, string>> = {
  runs: 'Runs',
  workflows: 'Workflows',
  workers: 'Workers',
  queues: 'Queues',
  schedules: 'Schedules',
  logs: 'Logs',
};

/** A piece of a line, and what a click on it means. */
export interface Tab<Meaning> {
  text: string;
  meaning: Meaning;
}

/** The views in the frame's first line; what is no view stands before them where there is room. */
export function viewTabs(state: Pick<UiState, 'view' | 'columns'>): readonly Tab<ViewName | undefined>[] {
  const name = isWide(state) ? [{ text: 'hatchet ', meaning: undefined }] : [];
  return [
    ...name,
    ...views.map((view, index) => ({
      meaning: view,
      text:
        view === state.view
          ? `[${index + 1} ${titles[view]}]`
          : isWide(state)
            ? ` ${index + 1} ${titles[view]} `
            : ` ${index + 1} `,
    })),
  ];
}

/** The keys at the end of the last line. */
export function keyTabs(state: Pick<UiState, 'columns'>): readonly Tab<string | undefined>[] {
  return isWide(state)
    ? [
        { text: '  ', meaning: undefined },
        { text: '? help', meaning: '?' },
        { text: '  ', meaning: undefined },
        { text: 'q quit', meaning: 'q' },
        { text: ' ', meaning: undefined },
      ]
    : [
        { text: '  ', meaning: undefined },
        { text: '?', meaning: '?' },
        { text: ' ', meaning: undefined },
        { text: 'q', meaning: 'q' },
        { text: ' ', meaning: undefined },
      ];
}

export function tabsWidth(tabs: readonly Tab<unknown>[]): number {
  return tabs.reduce((sum, { text }) => sum + stringWidth(text), 0);
}

/** What stands in a column of the line; undefined beside them. */
export function tabAt<Meaning>(tabs: readonly Tab<Meaning>[], column: number): Meaning | undefined {
  let left = column;
  for (const { text, meaning } of tabs) {
    if (left < 0) return undefined;
    left -= stringWidth(text);
    if (left < 0) return meaning;
  }
  return undefined;
}
