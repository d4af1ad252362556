import type { RunDetail } from '../../../monitor/run-reader.ts';
import { plainText } from '../../../output/plain-text.ts';
import { bodyRows } from '../layout.ts';
import { clickedRow, windowStart } from '../frame.ts';
import { statusMark } from '../status-mark.ts';
import type { OpenRun, UiState } from '../ui-state.ts';
import { chosenTask, listedTasks } from './chosen-task.ts';
import { dagPicture, type Picture } from './dag-picture.ts';

/** Which lines of the body an open run's parts have, from the top; the head has the first. */
export interface RunLayout {
  /** Whether the first line of the error has the second. */
  hasFailure: boolean;
  picture: Picture | undefined;
  /** A blank line after the picture, and one before the pane. */
  hasGaps: boolean;
  /** Rows of the list of tasks, with one that says how many there are where they are not all in it. */
  taskRows: number;
  /** First line of the list of tasks. */
  tasksAt: number;
  /** Line of the panes' names. */
  paneAt: number;
  /** Rows of the pane, beneath its names. */
  paneRows: number;
}

const mostPicture = 9;
/** Body lines from which there is room for pictures and blank lines. */
const roomyFrom = 15;

export function runLayout(state: UiState, run: OpenRun): RunLayout {
  const { detail } = run;
  const body = bodyRows(state);
  const isRoomy = body >= roomyFrom;
  const tasks = detail?.tasks.length ?? 0;
  // The pane says it whole.
  const hasFailure = detail?.run.status === 'FAILED' && (isRoomy || (run.pane !== 'failure' && body >= 8));
  const room = body - 2 - (hasFailure ? 1 : 0) - (isRoomy ? 1 : 0);
  const share = Math.floor(room / 3);
  const picture =
    isRoomy && tasks > 1 && detail !== undefined
      ? pictureOf(detail, { columns: state.columns - 2, rows: Math.min(mostPicture, share) })
      : undefined;
  // What a run of one task has to say is in its head.
  const taskRows = tasks > 1 ? Math.max(1, Math.min(tasks, share)) : isRoomy ? tasks : 0;
  const pictureRows = picture === undefined ? 0 : picture.length + 1;
  const tasksAt = 1 + (hasFailure ? 1 : 0) + pictureRows;
  const paneAt = tasksAt + taskRows + (isRoomy ? 1 : 0);
  return { hasFailure, picture, hasGaps: isRoomy, taskRows, tasksAt, paneAt, paneRows: Math.max(1, body - paneAt - 1) };
}

function pictureOf(detail: RunDetail, size: { columns: number; rows: number }): Picture | undefined {
  return dagPicture(
    detail.tasks.map((task) => ({
      name: plainText(task.name),
      parents: task.parents.map(plainText),
      mark: statusMark[task.status],
    })),
    size,
  );
}

/** The tasks that are drawn, and where they stand among all. */
export function shownTasks(
  state: Pick<UiState, 'clicked'>,
  run: OpenRun,
  rows: number,
): { tasks: RunDetail['tasks']; start: number; total: number } {
  const all = listedTasks(run.detail?.tasks ?? [], rows);
  // The last row says how many there are.
  const height = all.length > rows && rows > 1 ? rows - 1 : rows;
  const at = all.findIndex((task) => task === chosenTask(run));
  const start = windowStart(Math.max(0, at), all.length, height, clickedRow(state, 'tasks'));
  return { tasks: all.slice(start, start + height), start, total: all.length };
}
