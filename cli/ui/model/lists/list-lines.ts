import { wrapWords } from '../../../output/wrap-text.ts';
import { clickedRow, windowStart } from '../frame.ts';
import { listRows } from '../layout.ts';
import type { UiState, ViewName } from '../ui-state.ts';
import { listItems, selectedIndex, type ItemKind, type ListItem } from './list-items.ts';

interface Section {
  kind: ItemKind;
  /** Said where there is none. */
  empty: string;
  /** All there are; the list may hold fewer. */
  total: number;
}

export type ListViewName = Exclude<ViewName, 'runs' | 'logs'>;

function sectionsOf(view: ListViewName, state: UiState): readonly Section[] {
  const { queues, schedules, workflows, workers } = state;
  switch (view) {
    case 'workflows':
      return [
        { kind: 'workflow', empty: 'None yet: a worker registers them when it starts.', total: workflows.length },
      ];
    case 'workers':
      return [{ kind: 'worker', empty: 'No worker is connected.', total: workers.length }];
    case 'queues':
      return [
        {
          kind: 'queue',
          empty: 'No queue yet: a worker registers them with its tasks.',
          total: queues?.total.queues ?? 0,
        },
        { kind: 'key', empty: 'No concurrency key is in use.', total: queues?.total.keys ?? 0 },
        { kind: 'limit', empty: 'No rate limit.', total: queues?.total.limits ?? 0 },
      ];
    case 'schedules':
      return [
        {
          kind: 'cron',
          empty: 'No cron. Declare one with `on: { cron: … }`, or make one: hatchet crons create --help',
          total: schedules?.total.crons ?? 0,
        },
        {
          kind: 'schedule',
          empty: 'No scheduled run is to come. Make one: hatchet schedules create --help',
          total: schedules?.total.schedules ?? 0,
        },
      ];
  }
}

/** A line of a list: above a section the names of its columns, a note where rows are missing, and the rows. */
export type ListLine =
  | { kind: 'heading'; of: ItemKind }
  | { kind: 'note'; text: string }
  | { kind: 'space' }
  | { kind: 'item'; item: ListItem };

function linesOf(view: ListViewName, state: UiState, items: readonly ListItem[]): readonly ListLine[] {
  if (view === 'queues' && state.withoutQueues !== undefined)
    return wrapWords(state.withoutQueues, state.columns - 4).map((text) => ({ kind: 'note', text }));
  return sectionsOf(view, state).flatMap((section, index): ListLine[] => {
    const own = items.filter((item) => item.kind === section.kind);
    const missing = state.searches[view].text === '' ? section.total - own.length : 0;
    return [
      ...(index === 0 ? [] : [{ kind: 'space' as const }]),
      { kind: 'heading', of: section.kind },
      ...own.map((item): ListLine => ({ kind: 'item', item })),
      ...(own.length === 0
        ? [
            {
              kind: 'note' as const,
              text: section.total === 0 ? section.empty : 'None fits the search. esc shows all again.',
            },
          ]
        : []),
      ...(own.length > 0 && missing > 0 ? [{ kind: 'note' as const, text: `and ${missing} more` }] : []),
    ];
  });
}

/** The lines that are drawn: those of all from `start` on. */
export function listWindow(
  state: UiState,
  view: ListViewName,
): { lines: readonly ListLine[]; start: number; height: number; selected: ListItem | undefined } {
  const items = listItems(state);
  const selected = items[selectedIndex(state, items)];
  const lines = linesOf(view, state, items);
  const height = listRows(state);
  const at = lines.findIndex((line) => line.kind === 'item' && line.item === selected);
  return {
    lines,
    height,
    selected,
    start: windowStart(Math.max(0, at), lines.length, height, clickedRow(state, view)),
  };
}
