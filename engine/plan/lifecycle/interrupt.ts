import { LiveFlag, LiveState } from '../../model/live-state.ts';
import { maxReassigns } from '../../model/limits.ts';
import { RunStatus } from '../../model/status.ts';
import type {
  CancelCommand,
  CancelReply,
  CancelSentCommand,
  ReassignUnstartedCommand,
  ReturnUnsentCommand,
  UnansweredCommand,
  WorkerDeath,
} from '../commands/command.ts';
import { endTask, forgetTask, type TaskEnd } from './end-task.ts';
import { hasFlag, journal, moveTo, setFlag, type Plan } from '../state/plan.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import { silence, stayingWith } from '../queue/silent-worker.ts';
import { queueTask } from '../queue/queue-task.ts';
import { nextAttempt, retryTask, runningRow } from '../commands/report.ts';
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

export function planCancel(plan: Plan, command: CancelCommand): CancelReply {
  const { state } = plan;
  const cancelled: string[] = [];
  for (const id of command.ids) {
    const runRow = state.runsById.get(id);
    const taskIds = runRow === undefined ? [id] : (state.runs[runRow]?.taskIds ?? []);
    let any = false;
    for (const taskId of taskIds) any = cancelTask(plan, command.tenantId, taskId) || any;
    if (any) cancelled.push(id);
  }
  return { cancelled };
}

function cancelTask(plan: Plan, tenantId: string, taskId: string): boolean {
  const { state } = plan;
  const row = state.tasks.find(taskId);
  if (row < 0 || state.stepOf(row).version.tenantId !== tenantId || hasFlag(plan, row, LiveFlag.Ended)) return false;
  cancelRow(plan, row);
  return true;
}

/** Cancels a task wherever it is; one that has ended stays as it is. */
export function cancelRow(plan: Plan, row: number, message?: string): void {
  const { state } = plan;
  if (state.tasks.alive[row] !== 1 || hasFlag(plan, row, LiveFlag.Ended)) return;
  if (state.tasks.state[row] === LiveState.Running) interrupt(plan, row);
  journal(plan, row, 'N', message);
  endTask(plan, row, { status: RunStatus.Cancelled, output: null, error: null });
}

/** The worker knows that the attempt is over: the task is gone, retried, or on its way to another worker. */
export function planCancelSent(plan: Plan, command: CancelSentCommand): void {
  const { state } = plan;
  const row = state.tasks.find(command.taskId);
  if (row < 0 || state.tasks.state[row] !== LiveState.Cancelling || state.tasks.attempt[row] !== command.attempt)
    return;
  afterInterrupt(plan, row);
}

export function afterInterrupt(plan: Plan, row: number): void {
  if (hasFlag(plan, row, LiveFlag.Ended)) forgetTask(plan, row);
  else if (hasFlag(plan, row, LiveFlag.Unanswered)) leaveSilent(plan, row);
  else if (hasFlag(plan, row, LiveFlag.Reassign)) reassign(plan, row, 'no sign of a start after the worker came back');
  else retryTask(plan, row);
}

/** Another worker gets the task. Spends no retry of the user's, but only so many times. */
function reassign(plan: Plan, row: number, why: string): void {
  const { state } = plan;
  const { tasks, undo } = state;
  const reassigns = (tasks.reassigns[row] ?? 0) + 1;
  journal(plan, row, 'G', why);
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

/** Nothing was sent, so the worker has nothing to be told. */
export function planReturnUnsent(plan: Plan, command: ReturnUnsentCommand): void {
  const row = runningRow(plan, command);
  if (row < 0 || hasFlag(plan, row, LiveFlag.Started)) return;
  journal(plan, row, 'D');
  reassign(plan, row, "the worker's stream was gone");
}

export function planReassignUnstarted(plan: Plan, command: ReassignUnstartedCommand): void {
  const row = runningRow(plan, command);
  if (row < 0 || hasFlag(plan, row, LiveFlag.Started)) return;
  interrupt(plan, row);
  setFlag(plan, row, LiveFlag.Reassign);
}

/** What the worker has not started goes elsewhere after it was told, and nothing new comes to it before it has answered. */
export function planUnanswered(plan: Plan, command: UnansweredCommand): void {
  const { state } = plan;
  const worker = state.workersById.get(command.workerId);
  // Nothing can be told to one that is away: it is watched for its return.
  if (worker === undefined || worker.awaySinceUs > 0) return;
  const staying = stayingWith(plan, worker);
  for (const ref of command.attempts) {
    const row = runningRow(plan, ref);
    if (row < 0 || state.workerOf(row) !== worker || hasFlag(plan, row, LiveFlag.Started)) continue;
    if (ref.invocation !== null && ref.invocation !== state.tasks.invocation[row]) continue;
    silence(plan, worker);
    if (staying(row)) continue;
    interrupt(plan, row);
    setFlag(plan, row, LiveFlag.Unanswered);
  }
}

function leaveSilent(plan: Plan, row: number): void {
  const { tasks, undo } = plan.state;
  const unanswered = (tasks.unanswered[row] ?? 0) + 1;
  journal(plan, row, 'G', `worker ${plan.state.workerOf(row)?.name ?? ''} did not answer`);
  nextAttempt(plan, row);
  tasks.write('unanswered', row, unanswered, undo);
  queueTask(plan, row, 'head');
}

/** An attempt of a worker that is gone, however far it was. @param death absent where the tasks do not count it */
export function takeFromWorker(plan: Plan, worker: PlannerWorker, row: number, death: WorkerDeath | undefined): void {
  if (plan.state.tasks.state[row] !== LiveState.Running) afterInterrupt(plan, row);
  else if (death === undefined) reassign(plan, row, `worker ${worker.name} was lost`);
  else outlive(plan, row, { worker, death });
}

/** The task survives its worker: another gets it, at no cost of retries, unless too many have died under it. */
function outlive(plan: Plan, row: number, { worker, death }: { worker: PlannerWorker; death: WorkerDeath }): void {
  const deaths = countDeath(plan, row);
  journal(plan, row, 'G', `worker ${worker.name} died (${death.how})`);
  if (deaths >= death.mostDeaths) {
    const since = plan.state.stepOf(row).definition.durable ? ' since its log last grew' : '';
    return giveUp(
      plan,
      row,
      `its worker died (${death.how}); ${deaths === 1 ? 'one worker has' : `${deaths} workers have`} died under this task${since}`,
    );
  }
  nextAttempt(plan, row);
  queueTask(plan, row, 'head');
}

/** @param message why the engine does not try it any more */
function giveUp(plan: Plan, row: number, message: string): void {
  journal(plan, row, 'X', message);
  endTask(plan, row, failedFor(JSON.stringify({ message })));
}
