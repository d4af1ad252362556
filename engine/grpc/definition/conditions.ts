import { invalid } from '../../edge/parse/invalid.ts';
import type { Expressions } from '../../cel/cel-evaluator.ts';
import { CelVariables } from '../../cel/cel-variables.ts';
import { conditionActions, type Condition, type ConditionAction } from '../../model/definition.ts';
import { skippedOutput } from '../../model/task/skipped-output.ts';
import type { BaseMatchCondition, TaskConditions } from '../../../proto/gen/hatchet/contract/v1/condition.ts';
import { ConditionChecks, mostConditions } from './condition-checks.ts';

export interface ConditionContext {
  where: string;
  /** Of all tasks, by name, and those of the task's own parents. */
  places: ReadonlyMap<string, number>;
  parents: readonly number[];
  cel: Expressions;
}

/** A task's conditions. @throws HatchetError INVALID_ARGUMENT */
export async function readConditions(
  request: TaskConditions | undefined,
  context: ConditionContext,
): Promise<Condition[]> {
  if (request === undefined) return [];
  const { parentOverrideConditions, sleepConditions, userEventConditions } = request;
  const count = parentOverrideConditions.length + sleepConditions.length + userEventConditions.length;
  if (count > mostConditions)
    throw invalid(`there are ${count} conditions ${context.where}`, `Keep to ${mostConditions}.`);
  const checks = new ConditionChecks(context.where);
  // In this order: a definition's checksum is made of its text, and what has not changed stays one version.
  const base = (
    wire: BaseMatchCondition | undefined,
  ): Pick<Condition, 'action' | 'group' | 'expression' | 'dataKey'> => {
    const { group, dataKey } = checks.base(wire);
    return { action: actionOf(wire?.action ?? 0, context.where), group, expression: checks.expression(wire), dataKey };
  };
  const parents = await Promise.all(
    parentOverrideConditions.map(async (condition): Promise<Condition> => {
      const parent = context.places.get(condition.parentReadableId);
      if (parent === undefined || !context.parents.includes(parent))
        throw invalid(
          `a condition ${context.where} looks at ${JSON.stringify(condition.parentReadableId)}, which is none of its parents`,
          'Name a parent of the task.',
        );
      const shared = base(condition.base);
      return { ...shared, kind: 'parent', parent, whenSkipped: await whenSkipped(shared.expression, context.cel) };
    }),
  );
  const sleeps = sleepConditions.map((condition): Condition => ({
    ...base(condition.base),
    ...checks.sleep(condition),
  }));
  const events = userEventConditions.map((condition): Condition => ({
    ...base(condition.base),
    ...checks.event(condition),
  }));
  return [...parents, ...sleeps, ...events];
}

function actionOf(wire: number, where: string): ConditionAction {
  const action = conditionActions[wire];
  if (action === undefined)
    throw invalid(`a condition ${where} has the unknown action ${wire}`, 'Use CREATE, QUEUE, CANCEL or SKIP.');
  return action;
}

/** The output of a skipped parent is always the same: what the expression says of it is known from the start. */
async function whenSkipped(expression: string, cel: Expressions): Promise<boolean> {
  if (expression === '') return true;
  const result = await cel.evaluate(expression, new CelVariables({ output: skippedOutput }));
  return result.ok && result.value === true;
}
