import type { OpenRun, Step, UiState } from '../ui-state.ts';
import { tabAt } from '../tabs.ts';
import { chosenTask, taskAfter } from './chosen-task.ts';
import { moveNode } from './durable-keys.ts';
import { durableWindow } from './durable-lines.ts';
import { paneTabs } from './pane-tabs.ts';
import { chooseTask, scrollPane, showPane } from './run-keys.ts';
import { runLayout, shownTasks } from './run-layout.ts';

/** Over the tasks it chooses; anywhere else it scrolls the pane. */
export function wheelRun(state: UiState, run: OpenRun, { line, by }: { line: number; by: number }): Step {
  if (run.detail === undefined) return [state, []];
  const { tasksAt, taskRows } = runLayout(state, run);
  if (run.detail.tasks.length > 1 && line >= tasksAt && line < tasksAt + taskRows)
    return [chooseTask(state, run, taskAfter(run, Math.sign(by), taskRows)), []];
  return [run.pane === 'durable' ? moveNode(state, run, by) : scrollPane(state, run, by), []];
}

/** @returns 'open' for the task or the node that is chosen already */
export function clickRun(
  state: UiState,
  run: OpenRun,
  { line, column }: { line: number; column: number },
): UiState | 'open' {
  const { detail } = run;
  if (detail === undefined) return state;
  const { tasksAt, taskRows, paneAt, paneRows } = runLayout(state, run);
  const hasTasks = detail.tasks.length > 1;
  if (line === paneAt) {
    const pane = tabAt(paneTabs(state, run), column);
    return pane === undefined ? state : showPane(state, run, pane)[0];
  }
  if (line > paneAt)
    return clickPane(
      state,
      { ...run, focus: hasTasks ? 'pane' : run.focus },
      { row: line - paneAt - 1, rows: paneRows },
    );
  const atTasks: OpenRun = { ...run, focus: 'tasks' };
  if (hasTasks && line === 0) return chooseTask(state, atTasks, null);
  if (!hasTasks || line < tasksAt || line >= tasksAt + taskRows) return state;
  const { tasks } = shownTasks(state, run, taskRows);
  const task = tasks[line - tasksAt];
  if (task === undefined) return state;
  if (task === chosenTask(run)) return run.focus === 'tasks' ? 'open' : { ...state, run: atTasks };
  return { ...chooseTask(state, atTasks, task.taskId), clicked: { list: 'tasks', row: line - tasksAt } };
}

function clickPane(state: UiState, run: OpenRun, { row, rows }: { row: number; rows: number }): UiState | 'open' {
  const focused: UiState = { ...state, run };
  if (run.pane !== 'durable') return focused;
  const { lines, start, height, selected } = durableWindow(state, run, rows);
  const line = row < height ? lines[start + row] : undefined;
  if (line?.kind !== 'tree' || line.key === undefined) return focused;
  if (line.key !== selected?.key)
    return { ...focused, run: { ...run, node: line.key }, clicked: { list: 'nodes', row } };
  // The first click may be the one that goes from the tasks into the pane.
  return run.focus === state.run?.focus ? 'open' : focused;
}
