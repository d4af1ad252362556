import { idOf, selectedItem } from './lists/list-items.ts';
import { askCancel, askReplay } from './dialogs/cancel-replay-dialogs.ts';
import { selectedRunId } from './runs/selected-run.ts';
import { openMismatch } from './run/durable-keys.ts';
import { openEvent, openTrigger } from './forms/form-keys.ts';
import { views, type Key, type Step, type UiState, type ViewName } from './ui-state.ts';

/** Keys that do the same in every view, to what is selected there. @returns undefined for others */
export function anywhere(state: UiState, key: Key): Step | undefined {
  const view = views[Number(key.input) - 1];
  if (view !== undefined) return [show(state, view), []];
  switch (key.input) {
    case 'q':
      return [state, [{ type: 'quit' }]];
    case '?':
      return [{ ...state, dialog: { kind: 'help', scroll: 0 } }, []];
    case '/':
      return state.run === undefined ? [{ ...state, dialog: { kind: 'search' } }, []] : undefined;
    case 't':
      return openTrigger(state);
    case 'O':
      return [state, [{ type: 'open-page' }]];
    case 'E':
      return openEvent(state);
    case 'm':
      return openMismatch(state);
    case 'M':
      return [switchMouse(state), []];
    case 'r':
      return state.dev === undefined ? undefined : [state, [{ type: 'reload' }]];
    case 'x':
      return askCancel(state);
    case 'R':
      return askReplay(state);
    case 'y': {
      const text = copied(state);
      return text === undefined ? undefined : [state, [{ type: 'copy', text }]];
    }
    default:
      break;
  }
  if (key.name === 'tab' && state.run === undefined) {
    const at = views.indexOf(state.view) + (key.shift ? views.length - 1 : 1);
    return [show(state, views[at % views.length] ?? 'runs'), []];
  }
  return undefined;
}

function show(state: UiState, view: ViewName): UiState {
  return { ...state, view, run: undefined };
}

/** A terminal that gives the mouse to a program does not select text with it. */
function switchMouse(state: UiState): UiState {
  const isMouseOn = !state.isMouseOn;
  return {
    ...state,
    isMouseOn,
    notice: {
      text: isMouseOn
        ? 'The mouse scrolls and clicks here; M leaves it to the terminal.'
        : 'The mouse selects text, as the terminal does it; M brings it back here.',
      atMs: state.nowMs,
    },
  };
}

function copied(state: UiState): string | undefined {
  if (state.run !== undefined) return state.run.runId;
  if (state.view === 'runs') return selectedRunId(state);
  const item = selectedItem(state);
  return item === undefined ? undefined : idOf(item);
}
