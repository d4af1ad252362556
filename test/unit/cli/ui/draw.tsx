import { renderToString } from 'ink';
import type { UiState } from '../../../../cli/ui/model/ui-state.ts';
import { AppView } from '../../../../cli/ui/views/app-view.tsx';

/** The frame of a state, as a terminal of its size gets it. */
export function draw(state: UiState): string {
  return renderToString(<AppView state={state} />, { columns: state.columns });
}
