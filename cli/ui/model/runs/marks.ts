import type { BulkRun } from '../../../admin/bulk-deed.ts';
import type { EventRow } from '../../../monitor/run-reader.ts';
import { amount } from '../../../output/amount.ts';
import type { Step, UiState } from '../ui-state.ts';
import { statusAfter } from './run-after-event.ts';
import { askedQuery } from './asked-filter.ts';
import { selectedRunId } from './selected-run.ts';
import { visibleRuns } from './visible-runs.ts';

/** Marks the run under the cursor, or takes its mark away. */
export function toggleMark(state: UiState): Step {
  const runId = selectedRunId(state);
  const run = visibleRuns(state).find((row) => row.runId === runId);
  if (run === undefined) return [state, []];
  const marks = new Map(state.marks);
  if (!marks.delete(run.runId))
    marks.set(run.runId, { runId: run.runId, workflow: run.workflow, status: run.status, taskCount: run.taskCount });
  return [{ ...state, marks }, []];
}

/** All that the filter means, of which only the newest are in memory: the engine is asked. */
export function markAll(state: UiState): Step {
  if (state.marking !== undefined) return [state, []];
  const { problem } = askedQuery(state);
  if (problem !== undefined) return [said(state, problem), []];
  return [{ ...state, marking: { found: 0 } }, [{ type: 'mark-all' }]];
}

export function withMarked(state: UiState, runs: readonly BulkRun[]): UiState {
  if (state.marking === undefined) return state;
  const marks = new Map(state.marks);
  for (const run of runs) marks.set(run.runId, run);
  return {
    ...said(
      state,
      runs.length === 0
        ? 'No run fits: none was marked.'
        : `Marked ${amount(runs.length, 'run')}: x cancels, R replays, esc takes the marks away.`,
    ),
    marks,
    marking: undefined,
  };
}

/** What esc takes away before it shows all runs again. */
export function clearMarks(state: UiState): Step | undefined {
  if (state.marking !== undefined)
    return [{ ...said(state, 'Stopped: none of them was marked.'), marking: undefined }, [{ type: 'stop-marking' }]];
  return state.marks.size === 0 ? undefined : [{ ...state, marks: new Map() }, []];
}

/** Marked runs may have left the table, which is why they have statuses of their own. */
export function followMarks(marks: UiState['marks'], events: readonly EventRow[]): UiState['marks'] {
  if (marks.size === 0 || !events.some(({ runId }) => marks.has(runId))) return marks;
  const next = new Map(marks);
  for (const event of events) {
    const run = next.get(event.runId);
    if (run !== undefined) next.set(event.runId, { ...run, status: statusAfter(run, event) });
  }
  return next;
}

/** How many are marked, for the head of the list; empty where none is. */
export function marksText({ marks, marking }: Pick<UiState, 'marks' | 'marking'>): string {
  if (marking !== undefined) return `marking ${marking.found.toLocaleString('en-US')} …`;
  return marks.size === 0 ? '' : `${marks.size.toLocaleString('en-US')} marked`;
}

function said(state: UiState, text: string): UiState {
  return { ...state, notice: { text, atMs: state.nowMs } };
}
