import { describe, expect, it } from 'vitest';
import { conditionActions, type Condition, type ConditionAction } from '../../../engine/model/definition.ts';
import { judgeStart, type ConditionState, type ParentOutcome } from '../../../engine/plan/conditions/judge-start.ts';

const outcomes: ParentOutcome[] = ['open', 'completed', 'skipped', 'failed', 'cancelled'];
const states: ConditionState[] = ['open', 'met', 'unmet'];

function condition(action: ConditionAction, group: number, kind: 'event' | 'parent' = 'event'): Condition {
  const base = { action, group, expression: '', dataKey: 'k' };
  return kind === 'event'
    ? { ...base, kind, eventKey: 'e', scope: null }
    : { ...base, kind, parent: 0, whenSkipped: false };
}

function* tuples<T>(values: readonly T[], length: number): Generator<T[]> {
  if (length === 0) yield [];
  else for (const head of values) for (const tail of tuples(values, length - 1)) yield [head, ...tail];
}

/** The same rules written another way: by trying every way in which the open conditions could still turn out. */
function byEnumeration(
  parents: readonly ParentOutcome[],
  conditions: readonly Condition[],
  given: readonly ConditionState[],
): string {
  if (parents.some((parent) => parent === 'failed' || parent === 'cancelled')) return 'cancel';
  if (parents.includes('open')) return 'wait';
  const hasOwnRule = conditions.some(({ kind, action }) => kind === 'parent' && action === 'SKIP');
  if (!hasOwnRule && parents.length > 0 && parents.every((parent) => parent === 'skipped')) return 'skip';
  const has = (action: ConditionAction): boolean => conditions.some((each) => each.action === action);
  const holds = (action: ConditionAction, world: readonly boolean[]): boolean => {
    const groups = [...new Set(conditions.filter((each) => each.action === action).map((each) => each.group))];
    return (
      groups.length > 0 &&
      groups.every((group) =>
        conditions.some((each, index) => each.action === action && each.group === group && world[index] === true),
      )
    );
  };
  const now = given.map((state) => state === 'met');
  if (holds('SKIP', now)) return 'skip';
  if (holds('CANCEL', now)) return 'cancel';
  if (holds('CREATE', now) || holds('QUEUE', now) || (!has('CREATE') && !has('QUEUE'))) return 'queue';
  const open = given.flatMap((state, index) => (state === 'open' ? [index] : []));
  for (const bits of tuples([false, true], open.length)) {
    const world = now.map((met, index) => met || bits[open.indexOf(index)] === true);
    if (conditionActions.some((action) => holds(action, world))) return 'wait';
  }
  return 'cancel';
}

describe('judgeStart', () => {
  it('follows the rules for every combination of parents', () => {
    for (let count = 0; count <= 4; count++) {
      for (const parents of tuples(outcomes, count)) {
        for (const conditions of [[], [condition('SKIP', 0, 'parent')], [condition('QUEUE', 0)]]) {
          for (const given of tuples(states, conditions.length)) {
            expect(judgeStart(parents, conditions, given).do, JSON.stringify({ parents, conditions, given })).toBe(
              byEnumeration(parents, conditions, given),
            );
          }
        }
      }
    }
  });

  it('follows the precedence for every combination of up to four conditions in two groups of every action', () => {
    const kinds = conditionActions.flatMap((action) => [condition(action, 0), condition(action, 1)]);
    let compared = 0;
    for (let count = 0; count <= 4; count++) {
      for (const conditions of tuples(kinds, count)) {
        for (const given of tuples(states, count)) {
          const verdict = judgeStart(['completed'], conditions, given).do;
          // A message for each of 300,000 would cost more than the comparison.
          if (verdict !== byEnumeration(['completed'], conditions, given))
            expect({ conditions, given, verdict }).toBe('as by enumeration');
          compared++;
        }
      }
    }
    expect(compared).toBe(1 + 8 * 3 + 64 * 9 + 512 * 27 + 4096 * 81);
  });

  it('says it in words', () => {
    const met = (conditions: Condition[]): string =>
      judgeStart(
        ['completed'],
        conditions,
        conditions.map(() => 'met'),
      ).do;
    expect(met(conditionActions.map((action) => condition(action, 0)))).toBe('skip');
    expect(met([condition('CANCEL', 0), condition('CREATE', 0), condition('QUEUE', 0)])).toBe('cancel');
    expect(met([condition('QUEUE', 0)])).toBe('queue');
    expect(judgeStart(['completed'], [condition('CANCEL', 0)], ['open']).do).toBe('queue');
    expect(judgeStart(['skipped', 'completed'], [], []).do).toBe('queue');
    expect(judgeStart(['skipped', 'skipped'], [], []).do).toBe('skip');
    expect(judgeStart(['skipped'], [condition('SKIP', 0, 'parent')], ['unmet']).do).toBe('queue');
    expect(judgeStart([], [], []).do).toBe('queue');
    expect(judgeStart(['completed'], [condition('QUEUE', 0, 'parent')], ['unmet'])).toEqual({
      do: 'cancel',
      why: 'a condition that it waits for can no longer be met',
    });
  });
});
