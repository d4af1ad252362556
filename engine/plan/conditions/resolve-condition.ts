import { CelVariables } from '../../cel/cel-variables.ts';
import { journal, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';
import { holds, type Evaluated } from './evaluate-condition.ts';
import type { ConditionState } from './judge-start.ts';

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
