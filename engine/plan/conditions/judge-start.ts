import type { Condition, ConditionAction } from '../../model/definition.ts';

/** How a parent ended; `open` while it has not. */
export type ParentOutcome = 'open' | 'completed' | 'skipped' | 'failed' | 'cancelled';

/** A condition that can still become true is open. */
export type ConditionState = 'open' | 'met' | 'unmet';

export type Verdict = { do: 'wait' | 'queue' | 'skip' } | { do: 'cancel'; why: string };

type ActionState = 'absent' | ConditionState;

/**
 * What becomes of a task that has not started, by its parents and conditions.
 * A failed or cancelled parent cancels it, whatever else holds, and before the others are done. All parents skipped
 * skips it, unless it states for itself on which parent's output it is skipped. Then, with all parents done:
 * SKIP before CANCEL before CREATE before QUEUE; within an action the groups are all needed, and one of each group is enough.
 */
export function judgeStart(
  parents: readonly ParentOutcome[],
  conditions: readonly Condition[],
  states: readonly ConditionState[],
): Verdict {
  if (parents.some((outcome) => outcome === 'failed' || outcome === 'cancelled'))
    return { do: 'cancel', why: 'a parent failed or was cancelled' };
  if (parents.includes('open')) return { do: 'wait' };
  if (conditions.length === 0)
    return { do: parents.length > 0 && parents.every((outcome) => outcome === 'skipped') ? 'skip' : 'queue' };
  const ownSkipRule = conditions.some((condition) => condition.kind === 'parent' && condition.action === 'SKIP');
  if (parents.length > 0 && !ownSkipRule && parents.every((outcome) => outcome === 'skipped')) return { do: 'skip' };

  const skip = actionState('SKIP', conditions, states);
  if (skip === 'met') return { do: 'skip' };
  const cancel = actionState('CANCEL', conditions, states);
  if (cancel === 'met') return { do: 'cancel', why: 'a condition to cancel it was met' };
  // CREATE is a durable wait's word for what QUEUE says here.
  const starts = [actionState('CREATE', conditions, states), actionState('QUEUE', conditions, states)].filter(
    (state) => state !== 'absent',
  );
  if (starts.length === 0 || starts.includes('met')) return { do: 'queue' };
  if (starts.includes('open') || skip === 'open' || cancel === 'open') return { do: 'wait' };
  return { do: 'cancel', why: 'a condition that it waits for can no longer be met' };
}

function actionState(
  action: ConditionAction,
  conditions: readonly Condition[],
  states: readonly ConditionState[],
): ActionState {
  const groups = new Map<number, ConditionState[]>();
  for (const [index, condition] of conditions.entries()) {
    if (condition.action !== action) continue;
    const group = groups.get(condition.group) ?? [];
    groups.set(condition.group, group);
    group.push(states[index] ?? 'open');
  }
  if (groups.size === 0) return 'absent';
  const each = [...groups.values()].map(groupState);
  if (each.includes('unmet')) return 'unmet';
  return each.includes('open') ? 'open' : 'met';
}

/** One member is enough. */
function groupState(members: readonly ConditionState[]): ConditionState {
  if (members.includes('met')) return 'met';
  return members.includes('open') ? 'open' : 'unmet';
}
