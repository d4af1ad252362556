import { isTerminal } from '../../../status-name.ts';
import type { OpenRun } from '../ui-state.ts';
import { isInPane } from './chosen-task.ts';

/** The keys that go on from an open run: within 80 cells. */
export function runHint(run: OpenRun): string {
  if (run.detail === undefined) return '';
  const { run: row, tasks } = run.detail;
  const act = isTerminal(row.status) ? 'R runs it again' : 'x cancels it';
  // The log of a durable task has hints of its own, by its node.
  const move =
    run.pane === 'durable' && isInPane(run)
      ? '↑ ↓ choose a node'
      : isInPane(run)
        ? '↑ ↓ scroll'
        : '↑ ↓ choose a task, enter scrolls its pane';
  return `${act}, ${move}, esc goes back${tasks.length > 1 && isInPane(run) ? ' to the tasks' : ''}`;
}
