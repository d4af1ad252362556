import { editText, fieldOf } from './forms/edit-text.ts';
import { inList } from './lists/list-keys.ts';
import { idOf, selectedItem } from './lists/list-items.ts';
import { inLogs } from './lists/log-keys.ts';
import { inRun } from './run/run-keys.ts';
import { askCancel, askReplay } from './dialogs/cancel-replay-dialogs.ts';
import { inRuns } from './runs/runs-keys.ts';
import { selectedRunId } from './runs/selected-run.ts';
import { openMismatch } from './run/durable-keys.ts';
import { inForm, openEvent, openTrigger } from './forms/form-keys.ts';
import { inBulk } from './dialogs/bulk-dialog.ts';
import { helpEnd } from './dialogs/dialog-content.ts';
import { moved, movement } from './move.ts';
import { views, type Dialog, type Key, type Step, type TextField, type UiState, type ViewName } from './ui-state.ts';

export function onKey(state: UiState, key: Key): Step {
  if (key.ctrl && key.input === 'c') return [state, [{ type: 'interrupt' }]];
  if (key.ctrl && key.input === 'z') return [state, [{ type: 'suspend' }]];
  if (state.dialog !== undefined) return inDialog(state, state.dialog, key);
  // A cursor that keys move stands in the middle again.
  return anywhere(state, key) ?? inView(movement(key, 1) === undefined ? state : { ...state, clicked: undefined }, key);
}

function inView(state: UiState, key: Key): Step {
  if (state.run !== undefined) return inRun(state, key);
  switch (state.view) {
    case 'runs':
      return inRuns(state, key);
    case 'logs':
      return inLogs(state, key);
    case 'workflows':
    case 'workers':
    case 'queues':
    case 'schedules':
      return inList(state, key);
  }
}

function anywhere(state: UiState, key: Key): Step | undefined {
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

function inDialog(state: UiState, dialog: Dialog, key: Key): Step {
  const closed: UiState = { ...state, dialog: undefined };
  switch (dialog.kind) {
    case 'help': {
      const by = movement(key, 5);
      const end = helpEnd(state);
      return by === undefined || end === 0
        ? [closed, []]
        : [{ ...state, dialog: { kind: 'help', scroll: moved(dialog.scroll, by, end + 1) } }, []];
    }
    case 'search':
      if (key.name === 'enter') return [closed, []];
      if (key.name === 'escape') return [withSearch(closed, fieldOf('')), []];
      return [withSearch(state, editText(state.searches[state.view], key)), []];
    case 'confirm':
      if (key.input === 'y') return [closed, [dialog.effect]];
      return key.input === 'n' || key.name === 'escape' ? [closed, []] : [state, []];
    case 'bulk':
      return inBulk(state, dialog, key);
    case 'trigger':
    case 'event':
      return inForm(state, dialog, key);
  }
}

/** What is selected may not be among what is found: the first is, then. */
function withSearch(state: UiState, search: TextField): UiState {
  return {
    ...state,
    selected: state.view === 'runs' ? undefined : state.selected,
    searches: { ...state.searches, [state.view]: search },
  };
}
