import type { Expressions } from '../../cel/cel-evaluator.ts';
import type { CelResult } from '../../cel/cel-result.ts';
import type { CelVariables } from '../../cel/cel-variables.ts';
import { compileCel } from '../../cel/compile-cel.ts';

/** Evaluated at once, so that one command does not fill its tenant's queue. */
const atOnce = 100;
/** Characters of data that one command gathers before they are evaluated; the rest with its next load. */
const gatheredChars = 16 * 1024 * 1024;

const pending: CelResult = { ok: false, message: 'it is not evaluated yet' };

/**
 * What a command's plan needs of expressions that are too dear for the main thread. The lane waits for none of them:
 * loading finds out which are missing, the command leaves the transaction, they are evaluated, and it comes again.
 */
export class JobExpressions {
  readonly #results = new Map<string, CelResult>();
  readonly #missing = new Map<string, { expression: string; variables: CelVariables }>();
  #chars = 0;

  get isComplete(): boolean {
    return this.#missing.size === 0;
  }

  /**
   * @param place what the data belongs to: an id under which it never changes
   * @returns undefined where it has to be evaluated first
   */
  find(place: string, expression: string, variables: CelVariables): CelResult | undefined {
    const compiled = compileCel(expression);
    if (compiled.isCheap(variables.chars)) return compiled.evaluate(variables.values);
    const key = `${place} ${expression}`;
    const known = this.#results.get(key);
    if (known !== undefined || this.#missing.has(key)) return known;
    if (this.#missing.size === 0 || this.#chars + variables.chars <= gatheredChars) {
      this.#missing.set(key, { expression, variables });
      this.#chars += variables.chars;
    }
    return undefined;
  }

  /** For whoever evaluates many: what is missing fails, and the command is loaded again. */
  at(place: string): Expressions {
    return { evaluate: (expression, variables) => this.find(place, expression, variables) ?? pending };
  }

  async evaluate(cel: Expressions): Promise<void> {
    const missing = [...this.#missing];
    for (let at = 0; at < missing.length; at += atOnce) {
      const results = missing
        .slice(at, at + atOnce)
        .map(async ([key, { expression, variables }]) => [key, await cel.evaluate(expression, variables)] as const);
      for (const [key, result] of await Promise.all(results)) this.#results.set(key, result);
    }
    this.#missing.clear();
    this.#chars = 0;
  }
}
