import type { MouseReport } from '../input/mouse-reader.ts';
import { helpEnd } from './dialogs/dialog-content.ts';
import { inForm } from './forms/form-keys.ts';
import { frameRows, headRows, isStarting, isTooSmall } from './frame.ts';
import { bodyRows } from './layout.ts';
import { clickLine, wheelList } from './lists/list-mouse.ts';
import { scrollLog } from './lists/log-keys.ts';
import { moved } from './move.ts';
import { onKey } from './on-key.ts';
import { clickRun, wheelRun } from './run/run-mouse.ts';
import { clickRuns, wheelRuns } from './runs/runs-mouse.ts';
import { keyTabs, tabAt, tabsWidth, viewTabs } from './tabs.ts';
import { views, type Dialog, type Key, type Step, type UiState } from './ui-state.ts';

/** Lines of a notch of the wheel. */
const wheelLines = 3;

/** The wheel scrolls what is under the pointer; a click chooses a row, and opens the one that is chosen. */
export function onMouse(state: UiState, { kind, row, column }: MouseReport): Step {
  if (!state.isMouseOn || kind === 'other' || isTooSmall(state)) return [state, []];
  const by = kind === 'click' ? undefined : kind === 'wheel-up' ? -wheelLines : wheelLines;
  const { dialog } = state;
  // What was found can be scrolled and chosen while the search is typed; any other dialog stands before the view.
  if (dialog !== undefined && dialog.kind !== 'search') return inDialog(state, dialog, by);
  const line = row - headRows(state);
  const isInBody = line >= 0 && line < bodyRows(state) && !isStarting(state);
  if (by !== undefined) return isInBody ? wheel(state, line, by) : [state, []];
  const searched: UiState = { ...state, dialog: undefined };
  if (row === 0) return press(searched, viewKey(searched, column));
  if (row === frameRows(state) - 1) {
    const keys = keyTabs(state);
    return press(searched, tabAt(keys, column - (state.columns - tabsWidth(keys))));
  }
  return isInBody ? click(searched, { line, column }) : [state, []];
}

function viewKey(state: UiState, column: number): string | undefined {
  const view = tabAt(viewTabs(state), column);
  return view === undefined ? undefined : String(views.indexOf(view) + 1);
}

function press(state: UiState, input: string | undefined): Step {
  return input === undefined ? [state, []] : onKey(state, keyOf({ input }));
}

function keyOf(change: Partial<Key>): Key {
  return { input: '', name: undefined, ctrl: false, meta: false, shift: false, ...change };
}

function inDialog(state: UiState, dialog: Dialog, by: number | undefined): Step {
  if (dialog.kind === 'help')
    return [
      {
        ...state,
        dialog: by === undefined ? undefined : { kind: 'help', scroll: moved(dialog.scroll, by, helpEnd(state) + 1) },
      },
      [],
    ];
  const hasChoices = (dialog.kind === 'trigger' || dialog.kind === 'event') && dialog.field === 'name';
  return hasChoices && by !== undefined ? inForm(state, dialog, keyOf({ name: by < 0 ? 'up' : 'down' })) : [state, []];
}

function wheel(state: UiState, line: number, by: number): Step {
  if (state.run !== undefined) return wheelRun(state, state.run, { line, by });
  if (state.view === 'runs') return wheelRuns(state, by);
  return [state.view === 'logs' ? scrollLog(state, by) : wheelList(state, state.view, by), []];
}

function click(state: UiState, { line, column }: { line: number; column: number }): Step {
  if (state.view === 'logs' && state.run === undefined) return [state, []];
  const clicked =
    state.run !== undefined
      ? clickRun(state, state.run, { line, column })
      : state.view === 'runs'
        ? clickRuns(state, line)
        : state.view === 'logs'
          ? state
          : clickLine(state, state.view, line);
  return clicked === 'open' ? onKey(state, keyOf({ name: 'enter' })) : [clicked, []];
}
