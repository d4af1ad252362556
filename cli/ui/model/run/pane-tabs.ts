import { isWide } from '../frame.ts';
import type { Tab } from '../tabs.ts';
import type { OpenRun, PaneName, UiState } from '../ui-state.ts';
import { panesOf } from './open-run.ts';

const titles: Readonly<Record<PaneName, string>> = {
  durable: '[d]urable',
  events: '[e]vents',
  logs: '[l]ogs',
  attempts: '[a]ttempts',
  input: '[i]nput',
  output: '[o]utput',
  failure: '[f]ailure',
  why: '[w]hy',
};

/** The names of an open run's panes. In a narrow terminal all but the shown one are their keys alone. */
export function paneTabs(state: Pick<UiState, 'columns'>, run: OpenRun): readonly Tab<PaneName>[] {
  const title = (pane: PaneName): string =>
    pane === run.pane || isWide(state) ? titles[pane] : titles[pane].slice(0, 3);
  return panesOf(run).map((pane, index) => ({
    meaning: pane,
    text: `${index > 0 && isWide(state) ? ' ' : ''}${pane === run.pane ? '▸' : ' '}${title(pane)}`,
  }));
}
