import { checkAgainstSchema, checkPayload } from '../../input/check-input.ts';
import { isTerminal } from '../../monitor/status-name.ts';
import { editText, fieldOf } from './edit-text.ts';
import { prefillInput } from './prefill-input.ts';
import { panes, statusFilters, views, visibleRuns, type Dialog, type Key, type Step, type UiState, type ViewName } from './ui-state.ts';

/** Rows of the table that fit, at a height of the terminal. */
export function tableRows(state: Pick<UiState, 'rows'>): number {
  return Math.max(3, state.rows - 8);
}

export function onKey(state: UiState, key: Key): Step {
  if (key.ctrl && key.input === 'c') return [state, [{ type: 'interrupt' }]];
  if (state.dialog !== undefined) return inDialog(state, state.dialog, key);
  const common = anywhere(state, key);
  if (common !== undefined) return common;
  if (state.run !== undefined) return inRun(state, key);
  return state.view === 'runs' ? inRuns(state, key) : [state, []];
}

function anywhere(state: UiState, key: Key): Step | undefined {
  const number = Number(key.input);
  const view = views[number - 1];
  if (view !== undefined) return [show(state, view), []];
  switch (key.input) {
    case 'q':
      return [state, [{ type: 'quit' }]];
    case '?':
      return [{ ...state, dialog: { kind: 'help' } }, []];
    case 't':
      return openTrigger(state);
    case 'r':
      return state.dev === undefined ? undefined : [state, [{ type: 'reload' }]];
    case 'x':
      return askCancel(state);
    case 'y': {
      const text = state.run?.runId ?? state.selected ?? visibleRuns(state)[0]?.runId;
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

function askCancel(state: UiState): Step | undefined {
  const id = state.run?.runId ?? (state.view === 'runs' ? selectedId(state) : undefined);
  const run = id === undefined ? undefined : (state.run?.detail?.run ?? state.runs.get(id));
  if (run === undefined || isTerminal(run.status)) return undefined;
  return [{ ...state, dialog: { kind: 'cancel', runId: run.runId, workflow: run.workflow } }, []];
}

function selectedId(state: UiState): string | undefined {
  const rows = visibleRuns(state);
  return rows.some((row) => row.runId === state.selected) ? state.selected : rows[0]?.runId;
}

const steps: Readonly<Record<string, (page: number) => number>> = {
  up: () => -1,
  down: () => 1,
  pageUp: (page) => -page,
  pageDown: (page) => page,
  home: () => Number.NEGATIVE_INFINITY,
  end: () => Number.POSITIVE_INFINITY,
};

/** How far a key moves in a list; arrows, pages and vi's letters. */
function movement(key: Key, page: number): number | undefined {
  const name = key.name ?? { k: 'up', j: 'down', g: 'home', G: 'end' }[key.input];
  return name === undefined ? undefined : steps[name]?.(page);
}

function inRuns(state: UiState, key: Key): Step {
  const rows = visibleRuns(state);
  const page = tableRows(state);
  const move = movement(key, page);
  if (move !== undefined && rows.length > 0) {
    const at = Math.max(0, rows.findIndex((row) => row.runId === state.selected));
    const to = Math.min(rows.length - 1, Math.max(0, at + move));
    // The top row follows what comes in; any other stays on its run.
    const next = { ...state, selected: to === 0 ? undefined : rows[to]?.runId };
    const { older } = state;
    return [next, older !== null && to >= rows.length - page ? [{ type: 'load-older', page: older }] : []];
  }
  if (key.name === 'enter') {
    const runId = selectedId(state);
    return runId === undefined ? [state, []] : [{ ...state, selected: runId, run: { runId, detail: undefined, events: [], logs: [], pane: 'events', scroll: null, missing: false } }, []];
  }
  if (key.input === '/') return [{ ...state, dialog: { kind: 'search' } }, []];
  if (key.input === 'f') {
    const at = statusFilters.indexOf(state.filter);
    return [{ ...state, filter: statusFilters[(at + 1) % statusFilters.length] ?? 'ALL', selected: undefined }, []];
  }
  if (key.name === 'escape') return [{ ...state, filter: 'ALL', search: fieldOf('') }, []];
  return [state, []];
}

const paneKeys: Readonly<Record<string, (typeof panes)[number]>> = { e: 'events', l: 'logs', i: 'input', o: 'output', w: 'why' };

function inRun(state: UiState, key: Key): Step {
  const { run } = state;
  if (run === undefined) return [state, []];
  if (key.name === 'escape' || key.name === 'backspace' || key.name === 'left') return [{ ...state, run: undefined }, []];
  const pane = paneKeys[key.input] ?? (key.name === 'tab' ? panes[(panes.indexOf(run.pane) + (key.shift ? panes.length - 1 : 1)) % panes.length] : undefined);
  if (pane !== undefined) return [{ ...state, run: { ...run, pane, scroll: pane === 'events' || pane === 'logs' ? null : 0 } }, []];
  const move = movement(key, 10);
  if (move === undefined) return [state, []];
  const last = Math.max(0, paneLength(state) - 1);
  const at = run.scroll ?? last;
  const to = Math.min(last, Math.max(0, at + move));
  return [{ ...state, run: { ...run, scroll: to >= last && (run.pane === 'events' || run.pane === 'logs') ? null : to } }, []];
}

function paneLength(state: UiState): number {
  const { run } = state;
  if (run === undefined) return 0;
  if (run.pane === 'events') return run.events.length;
  if (run.pane === 'logs') return run.logs.length;
  return 10_000; // the view cuts at the text's end
}

function inDialog(state: UiState, dialog: Dialog, key: Key): Step {
  const closed: UiState = { ...state, dialog: undefined };
  switch (dialog.kind) {
    case 'help':
      return [closed, []];
    case 'search':
      if (key.name === 'enter') return [closed, []];
      if (key.name === 'escape') return [{ ...closed, search: fieldOf('') }, []];
      return [{ ...state, search: editText(state.search, key), selected: undefined }, []];
    case 'cancel':
      if (key.input === 'y') return [closed, [{ type: 'cancel', runId: dialog.runId }]];
      return key.input === 'n' || key.name === 'escape' ? [closed, []] : [state, []];
    case 'trigger':
      return inTrigger(state, dialog, key);
  }
}

function openTrigger(state: UiState): Step {
  const names = state.workflows.map((workflow) => workflow.name);
  const wanted = state.run?.detail?.run.workflow ?? state.runs.get(selectedId(state) ?? '')?.workflow;
  const chosen = Math.max(0, names.indexOf(wanted ?? ''));
  const name = names[chosen];
  if (name === undefined) return [{ ...state, notice: { text: 'No workflow is registered yet: a worker has to start first.', atMs: state.nowMs } }, []];
  const dialog: Dialog = { kind: 'trigger', workflows: names, chosen, input: fieldOf(prefillText(state, name)), error: '', isTyped: false };
  return [{ ...state, dialog }, [{ type: 'load-workflow', name }]];
}

/** What to begin with: the schema's shape, else the newest run's input, else an empty object. */
export function prefillText(state: Pick<UiState, 'workflow' | 'lastInputs'>, name: string): string {
  const schema = state.workflow?.workflow.name === name ? state.workflow.inputJsonSchema : null;
  return schema === null ? (state.lastInputs.get(name) ?? '{}') : JSON.stringify(prefillInput(schema));
}

function inTrigger(state: UiState, dialog: Extract<Dialog, { kind: 'trigger' }>, key: Key): Step {
  if (key.name === 'escape') return [{ ...state, dialog: undefined }, []];
  if (key.name === 'up' || key.name === 'down' || key.name === 'tab') {
    const count = dialog.workflows.length;
    const chosen = (dialog.chosen + (key.name === 'up' ? count - 1 : 1)) % count;
    const name = dialog.workflows[chosen] ?? '';
    return [{ ...state, dialog: { ...dialog, chosen, input: fieldOf(prefillText(state, name)), error: '', isTyped: false } }, [{ type: 'load-workflow', name }]];
  }
  if (key.name !== 'enter') {
    const input = editText(dialog.input, key);
    return [{ ...state, dialog: { ...dialog, input, error: '', isTyped: dialog.isTyped || input.text !== dialog.input.text } }, []];
  }
  const workflow = dialog.workflows[dialog.chosen] ?? '';
  const error = inputError(state, workflow, dialog.input.text);
  if (error !== undefined) return [{ ...state, dialog: { ...dialog, error } }, []];
  return [{ ...state, dialog: undefined, lastInputs: new Map(state.lastInputs).set(workflow, dialog.input.text) }, [{ type: 'trigger', workflow, input: dialog.input.text }]];
}

function inputError(state: UiState, workflow: string, text: string): string | undefined {
  try {
    const value = checkPayload(text, 'the input');
    if (state.workflow?.workflow.name === workflow) checkAgainstSchema(value, { workflow, schema: state.workflow.inputJsonSchema });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
