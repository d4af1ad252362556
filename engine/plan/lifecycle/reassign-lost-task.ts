import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { RunStatus } from '../../model/task/status.ts';
import { endTask, forgetTask, type TaskEnd } from './end-task.ts';
import { hasFlag, journal, setFlag, type Plan } from '../state/plan.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import { makeReady } from '../queue/make-ready.ts';
import { nextAttempt, retryTask } from './retry-task.ts';
import type { TaskRow } from '../state/table/rows.ts';
import { interrupt } from './interrupt-attempt.ts';
import type { WorkerDeath } from '../state/tenant-work.ts';
import { outliveWorker } from './worker-deaths.ts';

/** Reassignments of one task, after which it fails. */
const maxReassigns = 10;

export function afterInterrupt(plan: Plan, row: TaskRow): void {
  if (hasFlag(plan, row, LiveFlag.Ended)) forgetTask(plan, row);
  else if (hasFlag(plan, row, LiveFlag.Unanswered)) leaveBlocked(plan, row);
  else if (hasFlag(plan, row, LiveFlag.Reassign))
    reassign(
      plan,
      row,
      hasFlag(plan, row, LiveFlag.WorkerLost)
        ? lostWorker(plan.state.workerOf(row))
        : 'no sign of a start after the worker came back',
    );
  else if (hasFlag(plan, row, LiveFlag.WorkerLost)) goElsewhere(plan, row);
  else retryTask(plan, row);
}

/** Another worker gets the task. Spends no retry of the user's, but only so many times. */
export function reassign(plan: Plan, row: TaskRow, why: string): void {
  const { state } = plan;
  const { tasks, undo } = state;
  const reassigns = (tasks.reassigns[row] ?? 0) + 1;
  journal(plan, row, 'REASSIGNED', why);
  if (reassigns > maxReassigns) {
    giveUp(plan, row, `the task was reassigned ${maxReassigns} times because its workers were lost, and is given up`);
    if (tasks.alive[row] === 1) forgetTask(plan, row); // it was CANCELLING, and its worker has been told
    return;
  }
  nextAttempt(plan, row);
  tasks.write('reassigns', row, reassigns, undo);
  makeReady(plan, row, 'head');
}

function failedFor(error: string): TaskEnd {
  return { status: RunStatus.Failed, output: null, error };
}

function leaveBlocked(plan: Plan, row: TaskRow): void {
  const { tasks, undo } = plan.state;
  const unanswered = (tasks.unanswered[row] ?? 0) + 1;
  journal(plan, row, 'REASSIGNED', `worker ${plan.state.workerOf(row)?.name ?? ''} did not answer`);
  nextAttempt(plan, row);
  tasks.write('unanswered', row, unanswered, undo);
  makeReady(plan, row, 'head');
}

export interface Loss {
  /** Absent where the tasks do not count it. */
  death: WorkerDeath | undefined;
  /** Whether the worker may still read that its attempts are over. Those that it is being told of go on once it was. */
  toBeTold: boolean;
}

/** An attempt of a worker that is gone, however far it was. */
export function takeFromWorker(plan: Plan, worker: PlannerWorker, row: TaskRow, loss: Loss): void {
  const { death, toBeTold } = loss;
  if (plan.state.tasks.state[row] !== LiveState.Running) {
    if (!toBeTold) afterInterrupt(plan, row);
    return;
  }
  if (toBeTold) {
    interrupt(plan, row);
    setFlag(plan, row, LiveFlag.WorkerLost);
  }
  if (death !== undefined) {
    const why = outliveWorker(plan, row, { worker, death });
    if (why !== undefined) giveUp(plan, row, why);
    else if (!toBeTold) goElsewhere(plan, row);
  } else if (toBeTold) setFlag(plan, row, LiveFlag.Reassign);
  else reassign(plan, row, lostWorker(worker));
}

function lostWorker(worker: PlannerWorker | undefined): string {
  return `worker ${worker?.name ?? ''} was lost`;
}

function goElsewhere(plan: Plan, row: TaskRow): void {
  nextAttempt(plan, row);
  makeReady(plan, row, 'head');
}

/** @param message why the engine does not try it any more */
function giveUp(plan: Plan, row: TaskRow, message: string): void {
  journal(plan, row, 'FAILED', message);
  endTask(plan, row, failedFor(JSON.stringify({ message })));
}
