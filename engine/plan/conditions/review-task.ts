import { LiveState } from '../../model/task/live-state.ts';
import { judgeStart, type ParentOutcome } from './judge-start.ts';
import { RunStatus } from '../../model/task/status.ts';
import type { Plan } from '../state/plan.ts';
import { makeReady } from '../queue/make-ready.ts';
import type { LiveRun } from '../state/shard-state.ts';
import { beginWait, sleepOn, stopWaiting } from './begin-wait.ts';
import type { TaskRow } from '../state/table/rows.ts';

export type Review = { do: 'nothing' } | { do: 'skip' } | { do: 'cancel'; why: string };

/**
 * Looks at a task that has not started: it is queued here if it may run. Ending it, skipped or cancelled, is the caller's,
 * since that moves the rest of the run.
 */
export function reviewTask(plan: Plan, row: TaskRow): Review {
  const { state } = plan;
  if (row === undefined || state.tasks.state[row] !== LiveState.Gated) return { do: 'nothing' };
  const step = state.stepOf(row);
  const parents = parentOutcomes(state.runOf(row), step.definition.parents);
  const wait = state.waits.get(row);
  if (wait !== undefined && wait.sinceUs === 0 && !parents.includes('open')) beginWait(plan, row, wait);
  const verdict = judgeStart(parents, step.definition.conditions, wait?.states ?? []);
  switch (verdict.do) {
    case 'wait':
      if (wait !== undefined && wait.sinceUs > 0) sleepOn(plan, row, wait);
      return { do: 'nothing' };
    case 'queue':
      stopWaiting(plan, row);
      makeReady(plan, row, 'tail');
      return { do: 'nothing' };
    case 'skip':
      return { do: 'skip' };
    case 'cancel':
      return verdict;
  }
}

function parentOutcomes(run: LiveRun | undefined, parents: readonly number[]): ParentOutcome[] {
  return parents.map((parent) => {
    switch (run?.outcomes[parent]) {
      case RunStatus.Completed:
        return run.skipped.has(parent) ? 'skipped' : 'completed';
      case RunStatus.Failed:
        return 'failed';
      case RunStatus.Cancelled:
        return 'cancelled';
      default:
        return 'open';
    }
  });
}
