import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { skippedOutput } from '../../model/task/skipped-output.ts';
import { RunStatus, type TerminalStatus } from '../../model/task/status.ts';
import { runOutcome } from '../../model/task/run-outcome.ts';
import { releasePlaces } from '../concurrency/release-places.ts';
import { meetChild } from '../durable/satisfy-node.ts';
import { dropPlaceRequests } from '../concurrency/make-place-requests.ts';
import { journal, leaveWorker, setFlag, touch, type Plan } from '../state/plan.ts';
import { makeReady } from '../queue/make-ready.ts';
import { reviewTask, type Review } from '../conditions/review-task.ts';
import type { Evaluated } from '../conditions/evaluate-condition.ts';
import { resolveParent } from '../conditions/resolve-condition.ts';
import { dropWait } from '../conditions/begin-wait.ts';
import type { LiveRun } from '../state/shard-state.ts';
import { judgeOnFailure } from './on-failure.ts';
import { isRunRow, type TaskRow } from '../state/table/rows.ts';

export interface TaskEnd {
  status: TerminalStatus;
  output: string | null;
  error: string | null;
  skipped?: true;
  /** Conditions of children on the output, where they were evaluated before the plan. */
  evaluated?: Evaluated | undefined;
}

const runEnds = {
  [RunStatus.Completed]: 'RUN_COMPLETED',
  [RunStatus.Failed]: 'RUN_FAILED',
  [RunStatus.Cancelled]: 'RUN_CANCELLED',
} as const;

/**
 * Writes a task's one result and all that follows from it in its run. The caller has already journaled the end.
 * A row that stays CANCELLING (the worker has still to be told) keeps its place in memory and in `live`.
 */
export function endTask(plan: Plan, row: TaskRow, end: TaskEnd): void {
  const { state, changes } = plan;
  const { tasks, undo } = state;
  const taskId = tasks.id(row);
  releasePlaces(plan, state.extras.get(row)?.taskRequest ?? null);
  changes.results.push({
    taskId,
    generation: tasks.generation[row] ?? 1,
    status: end.status,
    attempt: tasks.attempt[row] ?? 0,
    seq: state.nextSeq(plan.nowUs),
    output: end.output,
    error: end.error,
    invocation: tasks.invocation[row] ?? 0,
  });
  if (tasks.invocation[row] !== 0) changes.durableEnds.push(taskId);
  const run = state.runOf(row);
  if (run === undefined) {
    endRun(plan, row, { runId: taskId, generation: tasks.generation[row] ?? 1, status: end.status, single: end });
  } else {
    const index = state.stepOf(row).index;
    changes.effects.push({ kind: 'taskEnded', taskId, output: end.output });
    settleStep(plan, run, index, end);
    advanceChildren(plan, run, index, end);
    reviewOnFailure(plan, run);
    if (run.unfinished === 0 && !run.ended) {
      undo.set(run, 'ended', true);
      const status = runOutcome(run.outcomes.filter((outcome) => outcome !== 0));
      endRun(plan, row, { runId: run.runId, generation: run.generation, status, single: null });
    }
  }
  if (tasks.state[row] === LiveState.Cancelling) setFlag(plan, row, LiveFlag.Ended);
  else forgetTask(plan, row);
}

/** Takes a task out of memory and of `live`. */
export function forgetTask(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  touch(plan, row);
  leaveWorker(plan, row);
  state.deadlines.set(row, 0, state.undo);
  state.lists.leave(row, state.undo);
  dropPlaceRequests(state, row);
  dropWait(plan, row);
  releaseRun(plan, row);
  state.tasks.end(row, state.undo);
}

/** A run is remembered until its last task row goes: one that is CANCELLING outlives the run's end. */
function releaseRun(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  const run = state.runOf(row);
  if (run === undefined) return;
  state.undo.set(run, 'rows', run.rows - 1);
  const runRow = state.tasks.run[row];
  if (run.rows === 0 && isRunRow(runRow)) state.removeRun(runRow, state.undo);
}

function endRun(
  plan: Plan,
  row: TaskRow,
  end: { runId: string; generation: number; status: TerminalStatus; single: TaskEnd | null },
): void {
  const { state, changes } = plan;
  const step = state.stepOf(row);
  const { tenantId } = step.version;
  releasePlaces(plan, state.extras.get(row)?.runRequest ?? null);
  journal(plan, row, runEnds[end.status]);
  changes.runEnds.push({
    tenantId,
    status: end.status,
    runId: end.runId,
    generation: end.generation,
    seq: state.nextSeq(plan.nowUs),
    saidByResult: end.single !== null && end.status === RunStatus.Completed,
  });
  state.counts.finished++;
  meetChild(plan, end);
  changes.effects.push({
    kind: 'runEnded',
    tenantId,
    runId: end.runId,
    status: end.status,
    single:
      end.single === null
        ? null
        : { stepName: step.definition.name, output: end.single.output, error: end.single.error },
  });
}

function settleStep(plan: Plan, run: LiveRun, index: number, end: TaskEnd): void {
  const { undo } = plan.state;
  undo.set(run.outcomes, index, end.status);
  undo.set(run, 'unfinished', run.unfinished - 1);
  if (end.skipped === true) undo.add(run.skipped, index);
  if (end.output !== null && run.version.batchParents.has(index))
    undo.put(run.outputBytes, index, Buffer.byteLength(end.output));
}

/** What a parent's end makes of its children: they start, are skipped or are cancelled. */
function advanceChildren(plan: Plan, run: LiveRun, index: number, end: TaskEnd): void {
  const { tasks } = plan.state;
  for (const child of run.version.children[index] ?? []) {
    if (run.outcomes[child] !== 0) continue;
    const row = tasks.find(run.taskIds[child] ?? '');
    if (row === undefined) continue;
    if (end.status === RunStatus.Completed)
      resolveParent(plan, row, index, { output: end.output, skipped: end.skipped === true, evaluated: end.evaluated });
    endReviewed(plan, row, reviewTask(plan, row));
  }
}

/** Ends a task that a review found to be skipped or cancelled. */
export function endReviewed(plan: Plan, row: TaskRow, review: Review): void {
  if (review.do === 'skip') skipTask(plan, row);
  else if (review.do === 'cancel') {
    journal(plan, row, 'CANCELLED', review.why);
    endTask(plan, row, { status: RunStatus.Cancelled, output: null, error: null });
  }
}

function skipTask(plan: Plan, row: TaskRow): void {
  journal(plan, row, 'SKIPPED');
  endTask(plan, row, { status: RunStatus.Completed, output: skippedOutput, error: null, skipped: true });
}

/** Starts or skips the run's on-failure task, where it waits and that is decided. */
export function reviewOnFailure(plan: Plan, run: LiveRun): void {
  const { onFailure } = run.version.definition;
  if (onFailure === null || run.outcomes[onFailure] !== 0) return;
  const row = plan.state.tasks.find(run.taskIds[onFailure] ?? '');
  if (row === undefined || plan.state.tasks.state[row] !== LiveState.Gated) return;
  const verdict = judgeOnFailure(run);
  if (verdict === 'start') makeReady(plan, row, 'tail');
  else if (verdict === 'skip') skipTask(plan, row);
}
