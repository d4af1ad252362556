import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { maxReassigns } from '../../model/limits.ts';
import { RunStatus } from '../../model/task/status.ts';
import type { WorkerDeath } from '../../model/task/worker-death.ts';
import { endTask, forgetTask, type TaskEnd } from './end-task.ts';
import { hasFlag, journal, moveTo, setFlag, type Plan } from '../state/plan.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import { queueTask } from '../queue/queue-task.ts';
import { nextAttempt, retryTask } from './attempt.ts';
import { countDeath } from './worker-deaths.ts';

/**
 * An attempt that the engine ends while its worker may be running it goes through CANCELLING:
 * its worker is told first, and only then does the task end in memory, or its next attempt start.
 * The slot stays taken until then.
 */
export function interrupt(plan: Plan, row: number): void {
  const { state, changes } = plan;
  const worker = state.workerOf(row);
  moveTo(plan, row, LiveState.Cancelling);
  state.deadlines.set(row, 0, state.undo);
  if (worker === undefined) throw new Error(`task ${state.tasks.id(row)} runs on no worker`);
  const step = state.stepOf(row);
  changes.effects.push({
    kind: 'tellCancel',
    tenantId: step.version.tenantId,
    workerId: worker.id,
    taskId: state.tasks.id(row),
    runId: state.runIdOf(row),
    stepName: step.definition.name,
    action: step.definition.action,
    attempt: state.tasks.attempt[row] ?? 0,
    invocation: step.definition.durable ? (state.tasks.invocation[row] ?? 0) : null,
  });
}

/** Cancels a task wherever it is; one that has ended stays as it is. */
export function cancelRow(plan: Plan, row: number, message?: string): void {
  const { state } = plan;
  if (state.tasks.alive[row] !== 1 || hasFlag(plan, row, LiveFlag.Ended)) return;
  if (state.tasks.state[row] === LiveState.Running) interrupt(plan, row);
  journal(plan, row, 'CANCELLED', message);
  endTask(plan, row, { status: RunStatus.Cancelled, output: null, error: null });
}

export function afterInterrupt(plan: Plan, row: number): void {
  if (hasFlag(plan, row, LiveFlag.Ended)) forgetTask(plan, row);
  else if (hasFlag(plan, row, LiveFlag.Unanswered)) leaveSilent(plan, row);
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
export function reassign(plan: Plan, row: number, why: string): void {
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
  queueTask(plan, row, 'head');
}

function failedFor(error: string): TaskEnd {
  return { status: RunStatus.Failed, output: null, error };
}

function leaveSilent(plan: Plan, row: number): void {
  const { tasks, undo } = plan.state;
  const unanswered = (tasks.unanswered[row] ?? 0) + 1;
  journal(plan, row, 'REASSIGNED', `worker ${plan.state.workerOf(row)?.name ?? ''} did not answer`);
  nextAttempt(plan, row);
  tasks.write('unanswered', row, unanswered, undo);
  queueTask(plan, row, 'head');
}

export interface Loss {
  /** Absent where the tasks do not count it. */
  death: WorkerDeath | undefined;
  /** Whether the worker may still read that its attempts are over. Those that it is being told of go on once it was. */
  toBeTold: boolean;
}

/** An attempt of a worker that is gone, however far it was. */
export function takeFromWorker(plan: Plan, worker: PlannerWorker, row: number, loss: Loss): void {
  const { death, toBeTold } = loss;
  if (plan.state.tasks.state[row] !== LiveState.Running) {
    if (!toBeTold) afterInterrupt(plan, row);
    return;
  }
  if (toBeTold) {
    interrupt(plan, row);
    setFlag(plan, row, LiveFlag.WorkerLost);
  }
  if (death !== undefined) outlive(plan, row, { worker, death, toBeTold });
  else if (toBeTold) setFlag(plan, row, LiveFlag.Reassign);
  else reassign(plan, row, lostWorker(worker));
}

function lostWorker(worker: PlannerWorker | undefined): string {
  return `worker ${worker?.name ?? ''} was lost`;
}

/** The task survives its worker: another gets it, at no cost of retries, unless too many have died under it. */
function outlive(
  plan: Plan,
  row: number,
  { worker, death, toBeTold }: { worker: PlannerWorker; death: WorkerDeath; toBeTold: boolean },
): void {
  const deaths = countDeath(plan, row);
  journal(plan, row, 'REASSIGNED', `worker ${worker.name} died (${death.how})`);
  if (deaths >= death.mostDeaths) {
    const since = plan.state.stepOf(row).definition.durable ? ' since its log last grew' : '';
    return giveUp(
      plan,
      row,
      `its worker died (${death.how}); ${deaths === 1 ? 'one worker has' : `${deaths} workers have`} died under this task${since}`,
    );
  }
  if (!toBeTold) goElsewhere(plan, row);
}

function goElsewhere(plan: Plan, row: number): void {
  nextAttempt(plan, row);
  queueTask(plan, row, 'head');
}

/** @param message why the engine does not try it any more */
function giveUp(plan: Plan, row: number, message: string): void {
  journal(plan, row, 'FAILED', message);
  endTask(plan, row, failedFor(JSON.stringify({ message })));
}
