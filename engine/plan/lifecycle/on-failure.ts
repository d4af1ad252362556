import { RunStatus } from '../../model/task/status.ts';
import type { LiveRun } from '../state/shard-state.ts';

/** What becomes of a run's on-failure task: it starts with the first failure, and is skipped when all others have ended without one. */
export function judgeOnFailure(run: LiveRun): 'start' | 'skip' | 'wait' {
  if (run.outcomes.includes(RunStatus.Failed)) return 'start';
  return run.unfinished === 1 ? 'skip' : 'wait';
}
