import { editText, fieldOf } from './forms/edit-text.ts';
import { inList } from './lists/list-keys.ts';
import { inLogs } from './lists/log-keys.ts';
import { inRun } from './run/run-keys.ts';
import { inRuns } from './runs/runs-keys.ts';
import { inForm } from './forms/form-keys.ts';
import { inBulk } from './dialogs/bulk-dialog.ts';
import { helpEnd } from './dialogs/dialog-content.ts';
import { anywhere } from './keys-anywhere.ts';
import { moved, movement } from './move.ts';
import type { Dialog, Key, Step, TextField, UiState } from './ui-state.ts';

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
    case 'page':
      return key.input === 'y' ? [closed, [{ type: 'copy', text: dialog.url }]] : [closed, []];
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
