import { CelVariables } from '../../cel/cel-variables.ts';
import { compileCel } from '../../cel/compile-cel.ts';
import type { CelResult } from '../../cel/cel-result.ts';
import { LiveState } from '../../model/task/live-state.ts';
import { judgeConditions, type ConditionState, type ParentOutcome } from '../../model/task/judge-conditions.ts';
import { RunStatus } from '../../model/task/status.ts';
import { journal, touch, type Plan } from '../state/plan.ts';
import { makeReady } from '../queue/make-ready.ts';
import type { LiveRun } from '../state/shard-state.ts';
import type { TaskWait } from './task-wait.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** What an expression gave, for those that were evaluated before the plan. */
export type Evaluated = ReadonlyMap<string, CelResult>;

/** An expression is too dear for the plan, and who asks it came with the same transaction: the command is to be loaded again. */
export class NotEvaluated extends Error {}

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
  if (wait !== undefined && wait.sinceUs === 0 && !parents.includes('open')) begin(plan, row, wait);
  const verdict = judgeConditions(parents, step.definition.conditions, wait?.states ?? []);
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

/** Opens the conditions of a new task. */
export function openWait(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  const { conditions } = state.stepOf(row).definition;
  if (conditions.length === 0) return;
  const wait: TaskWait = {
    sinceUs: 0,
    sinceSeq: 0,
    states: conditions.map(() => 'open'),
    data: conditions.map(() => null),
    complained: conditions.map(() => false),
  };
  state.undo.put(state.waits, row, wait);
  plan.changes.touchWait(plan.state, row);
}

/** Its parents are done: sleeps and events count from now on. */
function begin(plan: Plan, row: TaskRow, wait: TaskWait): void {
  const { state } = plan;
  state.undo.set(wait, 'sinceUs', plan.nowUs);
  state.undo.set(wait, 'sinceSeq', state.nextSeq(plan.nowUs));
  state.eventWaiters.listen(row, state.stepOf(row), state.undo);
  plan.changes.touchWait(plan.state, row);
}

/** The next sleep that is not over wakes the task. */
function sleepOn(plan: Plan, row: TaskRow, wait: TaskWait): void {
  const { state } = plan;
  let next = Infinity;
  for (const [index, condition] of state.stepOf(row).definition.conditions.entries()) {
    if (condition.kind === 'sleep' && wait.states[index] === 'open')
      next = Math.min(next, wait.sinceUs + condition.ms * 1000);
  }
  state.deadlines.set(row, next === Infinity ? 0 : next, state.undo);
  touch(plan, row);
}

/** Forgets a task's conditions with the task. */
export function dropWait(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  if (!state.waits.has(row)) return;
  stopWaiting(plan, row);
  state.undo.remove(state.waits, row);
  plan.changes.touchWait(plan.state, row);
}

/** Nothing it still waits for matters any more. */
function stopWaiting(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  const step = state.stepOf(row);
  if (state.eventWaiters.has(row, step)) state.eventWaiters.ignore(row, step, state.undo);
}

export function resolveCondition(
  plan: Plan,
  row: TaskRow,
  index: number,
  resolution: { met: boolean; data: string | null; why?: string },
): void {
  const wait = plan.state.waits.get(row);
  if (wait?.states[index] !== 'open') return;
  const to: ConditionState = resolution.met ? 'met' : 'unmet';
  const { undo } = plan.state;
  undo.set(wait.states, index, to);
  undo.set(wait.data, index, resolution.data);
  plan.changes.touchWait(plan.state, row);
  if (resolution.why !== undefined) journal(plan, row, 'CREATED', resolution.why);
}

/** Says why a condition failed on an event: the first time, since events with the key may be many. */
export function complain(plan: Plan, row: TaskRow, index: number, why: string): void {
  const wait = plan.state.waits.get(row);
  if (wait === undefined || wait.complained[index] === true) return;
  plan.state.undo.set(wait.complained, index, true);
  journal(plan, row, 'CREATED', why);
}

/** The conditions that look at a parent's output, once that parent has completed or was skipped. */
export function resolveParent(
  plan: Plan,
  row: TaskRow,
  parent: number,
  end: { output: string | null; skipped: boolean; evaluated: Evaluated | undefined },
): void {
  if (!plan.state.waits.has(row)) return;
  let variables: CelVariables | undefined;
  for (const [index, condition] of plan.state.stepOf(row).definition.conditions.entries()) {
    if (condition.kind !== 'parent' || condition.parent !== parent) continue;
    if (end.skipped) {
      resolveCondition(plan, row, index, { met: condition.whenSkipped, data: null });
      continue;
    }
    variables ??= new CelVariables({ output: end.output ?? 'null' });
    const { met, why } = holds(condition.expression, variables, end.evaluated);
    resolveCondition(plan, row, index, { met, data: met ? end.output : null, ...(why === undefined ? {} : { why }) });
  }
}

/** An expression that fails is not met; an empty one always is. One that is too dear for here has been evaluated before. */
export function holds(
  expression: string,
  variables: CelVariables,
  evaluated: Evaluated | undefined,
): { met: boolean; why?: string } {
  if (expression === '') return { met: true };
  const result = evaluated?.get(expression) ?? evaluateCheap(expression, variables);
  if (!result.ok) return { met: false, why: `the condition ${JSON.stringify(expression)} failed: ${result.message}` };
  if (typeof result.value !== 'boolean')
    return {
      met: false,
      why: `the condition ${JSON.stringify(expression)} gave ${JSON.stringify(result.value).slice(0, 100)}, not true or false`,
    };
  return { met: result.value };
}

function evaluateCheap(expression: string, variables: CelVariables): CelResult {
  const compiled = compileCel(expression);
  if (!compiled.isCheap(variables.chars)) throw new NotEvaluated();
  return compiled.evaluate(variables.values);
}

/** Sleeps that are over are met. */
export function wakeSleeper(plan: Plan, row: TaskRow): void {
  const wait = plan.state.waits.get(row);
  if (wait === undefined) return;
  for (const [index, condition] of plan.state.stepOf(row).definition.conditions.entries()) {
    if (condition.kind === 'sleep' && wait.sinceUs + condition.ms * 1000 <= plan.nowUs) {
      resolveCondition(plan, row, index, { met: true, data: JSON.stringify({ sleep_duration: condition.duration }) });
    }
  }
}
