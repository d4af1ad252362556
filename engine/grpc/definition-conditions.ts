import type { CelEvaluator } from '../cel/cel-evaluator.ts';
import { conditionActions, type Condition, type ConditionAction } from '../model/definition.ts';
import { parseDuration } from '../model/duration.ts';
import { skippedOutput } from '../model/payload.ts';
import type { BaseMatchCondition, TaskConditions } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import { invalid, optionalExpression } from './definition-error.ts';

/** Conditions of one task. */
const most = 100;
const longestKey = 1000;
/** A year. */
const longestSleepMs = 366 * 86_400_000;

export interface ConditionContext {
  where: string;
  /** Names of all tasks, in order, and the task's own parents among them. */
  names: readonly string[];
  parents: readonly number[];
  cel: CelEvaluator;
}

/**
 * A task's conditions. Or-groups are numbered in the order in which they appear: SDKs name them by a fresh id at every
 * registration, and an unchanged definition must stay one version.
 * @throws HatchetError INVALID_ARGUMENT
 */
export async function readConditions(request: TaskConditions | undefined, context: ConditionContext): Promise<Condition[]> {
  if (request === undefined) return [];
  const { parentOverrideConditions, sleepConditions, userEventConditions } = request;
  const count = parentOverrideConditions.length + sleepConditions.length + userEventConditions.length;
  if (count > most) throw invalid(`there are ${count} conditions ${context.where}`, `Keep to ${most}.`);
  const groups: string[] = [];
  const base = (wire: BaseMatchCondition | undefined): Pick<Condition, 'action' | 'group' | 'expression' | 'dataKey'> => {
    const id = wire?.orGroupId ?? '';
    const known = id === '' ? -1 : groups.indexOf(id);
    const group = known < 0 ? groups.push(id) - 1 : known;
    return { action: actionOf(wire?.action ?? 0, context.where), group, expression: optionalExpression(wire?.expression, `a condition ${context.where}`) ?? '', dataKey: wire?.readableDataKey ?? '' };
  };
  const parents = await Promise.all(
    parentOverrideConditions.map(async (condition): Promise<Condition> => {
      const parent = context.names.indexOf(condition.parentReadableId);
      if (!context.parents.includes(parent)) throw invalid(`a condition ${context.where} looks at ${JSON.stringify(condition.parentReadableId)}, which is none of its parents`, 'Name a parent of the task.');
      const shared = base(condition.base);
      return { ...shared, kind: 'parent', parent, whenSkipped: await whenSkipped(shared.expression, context.cel) };
    }),
  );
  const sleeps = sleepConditions.map((condition): Condition => {
    const ms = parseDuration(condition.sleepFor);
    if (ms === undefined || ms > longestSleepMs) throw invalid(`the sleep ${JSON.stringify(condition.sleepFor)} ${context.where} is not a duration of up to a year`, 'Write it like 500ms, 90s or 1h30m.');
    return { ...base(condition.base), kind: 'sleep', ms, duration: condition.sleepFor };
  });
  const events = userEventConditions.map((condition): Condition => {
    const { userEventKey, eventScope } = condition;
    if (userEventKey === '' || userEventKey.length > longestKey) throw invalid(`an event's key ${context.where} has ${userEventKey.length} characters`, `Use 1 to ${longestKey}.`);
    return { ...base(condition.base), kind: 'event', eventKey: userEventKey, scope: eventScope === undefined || eventScope === '' ? null : eventScope };
  });
  return [...parents, ...sleeps, ...events];
}

function actionOf(wire: number, where: string): ConditionAction {
  const action = conditionActions[wire];
  if (action === undefined) throw invalid(`a condition ${where} has the unknown action ${wire}`, 'Use CREATE, QUEUE, CANCEL or SKIP.');
  return action;
}

/** The output of a skipped parent is always the same: what the expression says of it is known from the start. */
async function whenSkipped(expression: string, cel: CelEvaluator): Promise<boolean> {
  if (expression === '') return true;
  const result = await cel.evaluate(expression, { output: JSON.parse(skippedOutput) });
  return result.ok && result.value === true;
}
