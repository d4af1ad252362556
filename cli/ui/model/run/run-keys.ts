import { moved, movement } from '../move.ts';
import type { Key, OpenRun, PaneName, Step, UiState } from '../ui-state.ts';
import { attemptsOf } from './attempts.ts';
import { isInPane, taskAfter } from './chosen-task.ts';
import { inDurable } from './durable-keys.ts';
import { firstScroll, isFed, openRun, panesOf } from './open-run.ts';
import { paneLines } from './pane-lines.ts';
import { runLayout } from './run-layout.ts';

export const paneKeys: Readonly<Record<string, PaneName>> = {
  d: 'durable',
  e: 'events',
  l: 'logs',
  a: 'attempts',
  i: 'input',
  o: 'output',
  f: 'failure',
  w: 'why',
};

/** Keys in a run that is open. */
export function inRun(state: UiState, key: Key): Step {
  const { run } = state;
  if (run === undefined) return [state, []];
  if (key.name === 'escape' || key.name === 'backspace' || key.name === 'left') return [goBack(state, run), []];
  const panes = panesOf(run);
  const pane =
    panes.find((one) => one === paneKeys[key.input]) ??
    (key.name === 'tab'
      ? panes[(panes.indexOf(run.pane) + (key.shift ? panes.length - 1 : 1)) % panes.length]
      : undefined);
  if (pane !== undefined) return showPane(state, run, pane);
  const isAtTasks = !isInPane(run);
  if (isAtTasks && (key.name === 'enter' || key.name === 'right'))
    return [{ ...state, run: { ...run, focus: 'pane' } }, []];
  const { paneRows, taskRows } = runLayout(state, run);
  const by = movement(key, paneRows);
  const isPage = key.name === 'pageUp' || key.name === 'pageDown';
  if (by !== undefined && isAtTasks && !isPage) return [chooseTask(state, run, taskAfter(run, by, taskRows)), []];
  if (run.pane === 'durable') return inDurable(state, run, key);
  return by === undefined ? [state, []] : [scrollPane(state, run, by), []];
}

/** From the pane to the tasks, from those to the run that it was come from, or to the list. */
function goBack(state: UiState, run: OpenRun): UiState {
  if (run.focus === 'pane') return { ...state, run: { ...run, focus: 'tasks' } };
  const parent = run.parents.at(-1);
  return { ...state, run: parent === undefined ? undefined : openRun(parent, { parents: run.parents.slice(0, -1) }) };
}

export function chooseTask(state: UiState, run: OpenRun, task: string | null): UiState {
  return { ...state, run: { ...run, task, scroll: firstScroll(run, run.pane), node: undefined } };
}

export function showPane(state: UiState, run: OpenRun, pane: PaneName): Step {
  const next = { ...state, run: { ...run, pane, isChosen: true, scroll: firstScroll(run, pane) } };
  return [next, pane === 'attempts' && hasUnknownWorker(next, run) ? [{ type: 'load-workers' }] : []];
}

/** Attempts are told with their workers' names, and those that are gone are not in the list of workers. */
function hasUnknownWorker({ workers, workerNames }: UiState, run: OpenRun): boolean {
  const known = new Set([...workers.map(({ workerId }) => workerId), ...workerNames.keys()]);
  const ids = (run.detail?.tasks ?? []).flatMap(({ taskId }) =>
    attemptsOf(run.events, taskId).flatMap(({ workerId }) => workerId ?? []),
  );
  return ids.some((id) => !known.has(id));
}

export function scrollPane(state: UiState, run: OpenRun, by: number): UiState {
  const last = Math.max(0, paneLines(state, run).length - runLayout(state, run).paneRows);
  const to = Math.max(0, moved(Math.min(run.scroll ?? last, last), by, last + 1));
  return { ...state, run: { ...run, scroll: to >= last && isFed(run.pane) ? null : to } };
}
