import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { HatchetError } from '../base/errors.ts';
import { longestInline } from '../model/limits.ts';
import { boundedFunctions } from './bounded-functions.ts';
import type { CelResult } from './cel-result.ts';
import { plainResult } from './plain-value.ts';
import { syntaxCost, valueOf } from './syntax-cost.ts';

/** Bytes of one expression. */
export const maxCelBytes = 1024;
/** Levels of nesting: deeper ones overflowed the library's stack. */
export const maxCelDepth = 32;
/** Compiling takes 68 µs, and 2 ms for the worst of the longest; evaluating 1.6 µs. */
const cached = 10_000;
/** Characters of all that is kept: a compiled expression takes up to 350 bytes for each, and there may be many tenants. */
const cachedChars = 256 * 1024;
/**
 * What an expression may cost on the main thread, in characters touched: most take some 2 ns, the dearest 40 (the keys of
 * a map, which the library copies for each reading), so 0.2 ms to 4 ms. Parsing the same JSON takes as long.
 */
const inlineWork = 100_000;
/** Characters of a failure's reason, which may quote the data. */
const longestMessage = 1000;

export interface CompiledCel {
  readonly expression: string;
  /** Names that it reads. */
  readonly reads: ReadonlySet<string>;
  /**
   * Whether its time, and that of parsing, is bounded for so many characters of JSON, without looking at them. If not, it is evaluated off the
   * main thread, with a deadline; but for the deadline and the memory that it may take, it gives the same there.
   */
  isCheap(chars: number): boolean;
  /** Never throws. Variables are JSON values; numbers are doubles, as in Hatchet. */
  evaluate(variables: Readonly<Record<string, unknown>>): CelResult;
}

const environment = celEnv({ funcs: boundedFunctions });
/** Least recently used first. */
const compiled = new Map<string, CompiledCel>();
let compiledChars = 0;

/**
 * Compiles an expression, or finds it compiled.
 * @throws HatchetError INVALID_ARGUMENT for a syntax error, or one that is too long or too deep
 */
export function compileCel(expression: string): CompiledCel {
  const known = compiled.get(expression);
  if (known !== undefined) {
    compiled.delete(expression);
    compiled.set(expression, known);
    return known;
  }
  const made = compile(expression);
  compiled.set(expression, made);
  compiledChars += expression.length;
  for (const oldest of compiled.keys()) {
    if (compiled.size <= cached && compiledChars <= cachedChars) break;
    compiled.delete(oldest);
    compiledChars -= oldest.length;
  }
  return made;
}

function compile(expression: string): CompiledCel {
  const bytes = Buffer.byteLength(expression);
  if (bytes > maxCelBytes) throw invalid(expression, `has ${bytes} bytes, and ${maxCelBytes} are allowed`);
  // Every level costs a bracket or an operator; the parser itself recurses, so the text is bounded before it.
  if (bracketDepth(expression) > maxCelDepth) throw invalid(expression, `is nested deeper than ${maxCelDepth} levels`);
  const parsed = attempt(() => parse(expression));
  if (parsed instanceof Error) throw invalid(expression, `is not valid: ${parsed.message}`);
  const cost = syntaxCost(parsed.expr);
  // A macro expands to several nodes a level.
  if (cost.depth > maxCelDepth * (cost.loops ? 4 : 1))
    throw invalid(expression, `is nested deeper than ${maxCelDepth} levels`);
  const run = attempt(() => plan(environment, parsed));
  if (run instanceof Error) throw invalid(expression, `cannot be evaluated: ${run.message}`);
  const { reads, work } = cost;
  return {
    expression,
    reads,
    isCheap: (chars) => chars <= longestInline && work !== null && valueOf(work, chars) <= inlineWork,
    evaluate(variables) {
      const value = attempt(() => run(toInput(variables)));
      const result =
        value instanceof Error || isCelError(value)
          ? { ok: false as const, message: value.message }
          : plainResult(value);
      return result.ok || result.message.length <= longestMessage
        ? result
        : { ok: false, message: `${result.message.slice(0, longestMessage)}…` };
    },
  };
}

type Input = Parameters<ReturnType<typeof plan>>[0];

function isInput(value: unknown): value is NonNullable<Input> {
  return typeof value === 'object' && value !== null;
}

function toInput(variables: Readonly<Record<string, unknown>>): NonNullable<Input> {
  if (!isInput(variables)) throw new TypeError('variables are an object');
  return variables;
}

/** The library throws for some faults and returns others. */
function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function bracketDepth(expression: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of expression) {
    if (character === '(' || character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ')' || character === ']' || character === '}') depth--;
  }
  return deepest;
}

function invalid(expression: string, why: string): HatchetError {
  const shown = expression.length > 100 ? `${expression.slice(0, 100)}…` : expression;
  return new HatchetError('INVALID_ARGUMENT', `the CEL expression ${JSON.stringify(shown)} ${why}`, {
    remedy: 'Correct the expression; https://cel.dev has the language.',
  });
}
