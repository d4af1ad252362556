import { formatDuration } from '../../model/time/duration.ts';
import { LiveFlag } from '../../model/task/live-state.ts';
import { RunStatus } from '../../model/task/status.ts';
import { mayRetry } from './retry-task.ts';
import { endTask } from './end-task.ts';
import { interrupt } from './interrupt-attempt.ts';
import { togetherWith } from './batch-together.ts';
import { stayingWith } from '../queue/blocked-worker.ts';
import { hasFlag, journal, setFlag, touch, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** What an attempt may take from its assignment to its start without gaining time by it. */
const arrivalUs = 1_000_000;
/** Time for a worker to say that it has a task, where the execution timeout is shorter: by then it has been found to be blocked, or is so slow that this has to show. */
const leastStartUs = 30_000_000;

/** An attempt's timeout is set when it is assigned, and set anew where it took long to arrive. */
export function isLate({ state, nowUs }: Plan, row: TaskRow): boolean {
  return state.deadlines.dueUs(row) - nowUs < state.stepOf(row).definition.executionTimeoutMs * 1000 - arrivalUs;
}

/** Its worker has just said that it has it: its execution timeout begins now. */
export function beginTimeout(plan: Plan, row: TaskRow): void {
  const { state, nowUs } = plan;
  state.deadlines.set(row, nowUs + state.stepOf(row).definition.executionTimeoutMs * 1000, state.undo);
  touch(plan, row);
}

/** Its worker has not said that it has it: the timeout starts afresh, once. */
function prolong(plan: Plan, row: TaskRow): void {
  const { state, nowUs } = plan;
  setFlag(plan, row, LiveFlag.Prolonged);
  state.deadlines.set(
    row,
    nowUs + Math.max(state.stepOf(row).definition.executionTimeoutMs * 1000, leastStartUs),
    state.undo,
  );
}

/** The execution timeout of an attempt is over. Members of a batch are one call: it is over for all of them. */
export function meetTimeout(plan: Plan, row: TaskRow): void {
  const members = togetherWith(plan, row);
  const worker = plan.state.workerOf(row);
  const isStarted = members.some((member) => hasFlag(plan, member, LiveFlag.Started));
  const stays = worker === undefined || isStarted ? () => true : stayingWith(plan, worker);
  for (const member of members) {
    if (!stays(member) && !hasFlag(plan, member, LiveFlag.Prolonged)) prolong(plan, member);
    else timeOut(plan, member);
  }
}

function timeOut(plan: Plan, row: TaskRow): void {
  const limit = formatDuration(plan.state.stepOf(row).definition.executionTimeoutMs);
  // In Hatchet's words, which programs and its SDKs' own tests match: `Task exceeded timeout of`.
  const message = plan.state.batches.ofRow.has(row)
    ? `Task failed due to batch timeout, exceeded timeout of ${limit}`
    : `Task exceeded timeout of ${limit}`;
  const again = mayRetry(plan, row);
  journal(plan, row, 'TIMED_OUT', message);
  interrupt(plan, row);
  if (!again) endTask(plan, row, { status: RunStatus.Failed, output: null, error: JSON.stringify({ message }) });
}
