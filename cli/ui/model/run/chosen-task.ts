import type { TaskRow } from '../../../monitor/run-reader.ts';
import type { OpenRun } from '../ui-state.ts';

type Chosen = Pick<OpenRun, 'detail' | 'task'>;

/** The task that the panes are about; undefined where they are about the whole run. A run that failed begins at what failed. */
export function chosenTask({ detail, task }: Chosen): TaskRow | undefined {
  const tasks = detail?.tasks ?? [];
  if (tasks.length === 1) return tasks[0];
  if (task === undefined)
    return detail?.run.status === 'FAILED' ? tasks.find(({ status }) => status === 'FAILED') : undefined;
  return tasks.find(({ taskId }) => taskId === task);
}

/** With one task, arrows go through the pane; with several, through the tasks until enter goes into the pane. */
export function isInPane({ detail, focus }: Pick<OpenRun, 'detail' | 'focus'>): boolean {
  return focus === 'pane' || (detail?.tasks.length ?? 0) < 2;
}

/** Tasks as they are listed: those that failed come first where there is not a row for each. */
export function listedTasks(tasks: readonly TaskRow[], rows: number): readonly TaskRow[] {
  if (tasks.length <= rows) return tasks;
  return [...tasks.filter(({ status }) => status === 'FAILED'), ...tasks.filter(({ status }) => status !== 'FAILED')];
}

/** After a move; null is the whole run, which stands above its tasks. */
export function taskAfter(run: Chosen, by: number, rows: number): string | null {
  const ids = [null, ...listedTasks(run.detail?.tasks ?? [], rows).map(({ taskId }) => taskId)];
  const at = ids.indexOf(chosenTask(run)?.taskId ?? null);
  return ids[Math.min(ids.length - 1, Math.max(0, at + by))] ?? null;
}
