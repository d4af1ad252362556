import { isTerminal } from '../../../status-name.ts';
import { askBulk } from './bulk-dialog.ts';
import { chosenTask } from '../run/chosen-task.ts';
import type { Step, UiState } from '../ui-state.ts';
import { selectedRunId } from '../runs/selected-run.ts';

/** Asks before it cancels; a run that has ended cannot be. */
export function askCancel(state: UiState): Step | undefined {
  const bulk = askBulk(state, 'cancel');
  if (bulk !== undefined) return bulk;
  const run = actedRun(state);
  if (run === undefined) return undefined;
  if (isTerminal(run.status)) return [notice(state, `The run is ${run.status} already.`), []];
  return [
    {
      ...state,
      dialog: {
        kind: 'confirm',
        title: 'Cancel',
        question: `Cancel ${run.workflow} ${run.runId}?`,
        yes: 'cancels it',
        no: 'keeps it',
        effect: { type: 'cancel', runId: run.runId },
      },
    },
    [],
  ];
}

/** Asks before it runs again what has ended: a run, or of an open one the chosen task with what follows it. */
export function askReplay(state: UiState): Step | undefined {
  const bulk = askBulk(state, 'replay');
  if (bulk !== undefined) return bulk;
  const run = actedRun(state);
  if (run === undefined) return undefined;
  if (!isTerminal(run.status)) return [notice(state, 'The run has not ended yet: x cancels it.'), []];
  const task = state.run === undefined || (state.run.detail?.tasks.length ?? 0) < 2 ? undefined : chosenTask(state.run);
  const question =
    task === undefined
      ? `Run ${run.workflow} ${run.runId} again?`
      : `Run ${task.name} of ${run.workflow} ${run.runId} again, and what follows it?`;
  return [
    {
      ...state,
      dialog: {
        kind: 'confirm',
        title: 'Replay',
        question,
        yes: 'runs it again',
        no: 'leaves it',
        effect: { type: 'replay', id: task?.taskId ?? run.runId },
      },
    },
    [],
  ];
}

function actedRun(state: UiState) {
  const id = state.run?.runId ?? (state.view === 'runs' ? selectedRunId(state) : undefined);
  return id === undefined
    ? undefined
    : (state.run?.detail?.run ?? state.runs.get(id) ?? state.found?.rows.find((run) => run.runId === id));
}

function notice(state: UiState, text: string): UiState {
  return { ...state, notice: { text, atMs: state.nowMs } };
}
