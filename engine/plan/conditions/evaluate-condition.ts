import type { CelResult } from '../../cel/cel-result.ts';
import type { CelVariables } from '../../cel/cel-variables.ts';
import { compileCel } from '../../cel/compile-cel.ts';

/** What an expression gave, for those that were evaluated before the plan. */
export type Evaluated = ReadonlyMap<string, CelResult>;

/** An expression is too dear for the plan, and who asks it came with the same transaction: the command is to be loaded again. */
export class NotEvaluated extends Error {}

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
