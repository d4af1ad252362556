import { isTerminal } from '../../monitor/status-name.ts';
import { fieldOf } from './edit-text.ts';
import { tableRows } from './layout.ts';
import { moved, movement } from './move.ts';
import { inDurable } from './durable-keys.ts';
import { isFed, openRun, panesOf } from './open-run.ts';
import { statusFilters, type Key, type PaneName, type Step, type UiState } from './ui-state.ts';
import { visibleRuns } from './visible-runs.ts';

const paneKeys: Readonly<Record<string, PaneName>> = { d: 'durable', e: 'events', l: 'logs', i: 'input', o: 'output', w: 'why' };

/** Keys in the table of runs. */
export function inRuns(state: UiState, key: Key): Step {
  const rows = visibleRuns(state);
  const page = tableRows(state);
  const by = movement(key, page);
  if (by !== undefined && rows.length > 0) {
    const at = Math.max(0, rows.findIndex((row) => row.runId === state.selected));
    const to = moved(at, by, rows.length);
    // The top row follows what comes in; any other stays on its run.
    const next = { ...state, selected: to === 0 ? undefined : rows[to]?.runId };
    return to < rows.length - page ? [next, []] : loadMore(next);
  }
  const pane = paneKeys[key.input];
  if (pane !== undefined || key.name === 'enter') {
    const runId = selectedRunId(state);
    return [runId === undefined ? state : { ...state, selected: runId, run: openRun(runId, { pane }) }, []];
  }
  if (key.input === 'f') {
    const at = statusFilters.indexOf(state.filter);
    return [{ ...state, filter: statusFilters[(at + 1) % statusFilters.length] ?? 'ALL', selected: undefined }, []];
  }
  if (key.name === 'escape') return [{ ...state, filter: 'ALL', searches: { ...state.searches, runs: fieldOf('') } }, []];
  return [state, []];
}

/** At the end of what is here. */
function loadMore(state: UiState): Step {
  const { older, found } = state;
  if (found === undefined) return [state, older === null ? [] : [{ type: 'load-older', page: older }]];
  if (found.next === null || found.isLoading) return [state, []];
  return [{ ...state, found: { ...found, isLoading: true } }, [{ type: 'find-runs', key: found.key, page: found.next }]];
}

/** Keys in a run that is open. */
export function inRun(state: UiState, key: Key): Step {
  const { run } = state;
  if (run === undefined) return [state, []];
  if (key.name === 'escape' || key.name === 'backspace' || key.name === 'left') {
    const parent = run.parents.at(-1);
    return [{ ...state, run: parent === undefined ? undefined : openRun(parent, { parents: run.parents.slice(0, -1) }) }, []];
  }
  const panes = panesOf(run);
  const pane = panes.find((one) => one === paneKeys[key.input]) ?? (key.name === 'tab' ? panes[(panes.indexOf(run.pane) + (key.shift ? panes.length - 1 : 1)) % panes.length] : undefined);
  if (pane !== undefined) return [{ ...state, run: { ...run, pane, isChosen: true, scroll: isFed(pane) ? null : 0 } }, []];
  if (run.pane === 'durable') return inDurable(state, run, key);
  const by = movement(key, 10);
  if (by === undefined) return [state, []];
  const last = Math.max(0, paneLength(state) - 1);
  const to = Math.max(0, moved(run.scroll ?? last, by, last + 1));
  return [{ ...state, run: { ...run, scroll: to >= last && isFed(run.pane) ? null : to } }, []];
}

function paneLength(state: UiState): number {
  const { run } = state;
  if (run === undefined) return 0;
  if (run.pane === 'events') return run.events.length;
  if (run.pane === 'logs') return run.logs.length;
  return 10_000; // the view cuts at the text's end
}

export function selectedRunId(state: UiState): string | undefined {
  const rows = visibleRuns(state);
  return rows.some((row) => row.runId === state.selected) ? state.selected : rows[0]?.runId;
}

/** Asks before it cancels; a run that has ended cannot be. */
export function askCancel(state: UiState): Step | undefined {
  const run = actedRun(state);
  if (run === undefined) return undefined;
  if (isTerminal(run.status)) return [notice(state, `The run is ${run.status} already.`), []];
  return [{ ...state, dialog: { kind: 'confirm', title: 'Cancel', question: `Cancel ${run.workflow} ${run.runId}?`, yes: 'cancels it', no: 'keeps it', effect: { type: 'cancel', runId: run.runId } } }, []];
}

/** Asks before it runs again what has ended. */
export function replay(state: UiState): Step | undefined {
  const run = actedRun(state);
  if (run === undefined) return undefined;
  if (!isTerminal(run.status)) return [notice(state, 'The run has not ended yet: x cancels it.'), []];
  return [{ ...state, dialog: { kind: 'confirm', title: 'Replay', question: `Run ${run.workflow} ${run.runId} again?`, yes: 'runs it again', no: 'leaves it', effect: { type: 'replay', runId: run.runId } } }, []];
}

function actedRun(state: UiState) {
  const id = state.run?.runId ?? (state.view === 'runs' ? selectedRunId(state) : undefined);
  return id === undefined ? undefined : (state.run?.detail?.run ?? state.runs.get(id) ?? state.found?.rows.find((run) => run.runId === id));
}

function notice(state: UiState, text: string): UiState {
  return { ...state, notice: { text, atMs: state.nowMs } };
}
