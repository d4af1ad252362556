import type { CelResult } from '../../cel/cel-result.ts';
import type { CelVariables } from '../../cel/cel-variables.ts';
import { compileCel } from '../../cel/compile-cel.ts';
import { equalityGuards, isRuledOut } from '../../cel/equality-guard.ts';
import type { Facts } from '../../plan/commands/loaded-facts.ts';
import type { FoundEventWaiters } from '../../plan/commands/command-kind.ts';
import { expressionsOf, type Job } from '../job.ts';
import type { Asking } from './command-needs.ts';

/**
 * Conditions on the events and outputs that the commands bring, where they are too dear for the main thread: what the plan
 * will ask is looked up here, or marked as missing. Which can be asked is known from the definitions and logs in memory;
 * where a wait comes with the same transaction as its event, the plan finds it missing, and the event is loaded again.
 */
export function loadExpressions(
  asking: readonly Asking[],
  eventWaitersFor: (asking: Asking) => FoundEventWaiters,
): ReadonlyMap<Asking, Facts['evaluated']> {
  const found = new Map<Asking, Facts['evaluated']>();
  for (const each of asking) {
    const asked = each.needs.expressions?.(each.state, eventWaitersFor(each)) ?? [];
    const evaluated = new Map<string, ReadonlyMap<string, CelResult>>();
    for (const { place, expressions, variables } of asked) {
      const results = evaluate(each.job, place, { expressions, variables });
      if (results.size > 0) evaluated.set(place, results);
    }
    if (evaluated.size > 0) found.set(each, evaluated);
  }
  return found;
}

/** Those that the plan evaluates itself are left to it. */
function evaluate(
  job: Job,
  place: string,
  { expressions, variables }: { expressions: Iterable<string>; variables: CelVariables },
): ReadonlyMap<string, CelResult> {
  const results = new Map<string, CelResult>();
  for (const expression of expressions) {
    if (results.has(expression) || compileCel(expression).isCheap(variables.chars)) continue;
    const result = isFalse(expression, variables)
      ? { ok: true as const, value: false }
      : expressionsOf(job).find(place, expression, variables);
    if (result !== undefined) results.set(expression, result);
  }
  return results;
}

/** Known without evaluating it. */
function isFalse(expression: string, variables: CelVariables): boolean {
  const guards = equalityGuards(expression);
  return guards.length > 0 && isRuledOut(guards, variables.values['input']);
}
