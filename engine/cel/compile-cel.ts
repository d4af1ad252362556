import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { HatchetError } from '../errors.ts';
import type { CelResult } from './cel-result.ts';
import { plainResult } from './plain-value.ts';
import { syntaxShape } from './syntax-shape.ts';

/** Bytes of one expression. */
export const maxCelBytes = 1024;
/** Levels of nesting: deeper ones overflowed the library's stack. */
export const maxCelDepth = 32;
/** Compiling takes 68 µs, evaluating 1.6 µs. */
const cached = 10_000;

export interface CompiledCel {
  readonly expression: string;
  /** It loops, so its time depends on the data: to be evaluated off the main thread, with a deadline. */
  readonly heavy: boolean;
  /** Never throws. Variables are JSON values; numbers are doubles, as in Hatchet. */
  evaluate(variables: Readonly<Record<string, unknown>>): CelResult;
}

const environment = celEnv();
/** Least recently used first. */
const compiled = new Map<string, CompiledCel>();

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
  if (compiled.size > cached) for (const oldest of compiled.keys()) if (compiled.delete(oldest)) break;
  return made;
}

function compile(expression: string): CompiledCel {
  const bytes = Buffer.byteLength(expression);
  if (bytes > maxCelBytes) throw invalid(expression, `has ${bytes} bytes, and ${maxCelBytes} are allowed`);
  // Every level costs a bracket or an operator; the parser itself recurses, so the text is bounded before it.
  if (bracketDepth(expression) > maxCelDepth) throw invalid(expression, `is nested deeper than ${maxCelDepth} levels`);
  const parsed = attempt(() => parse(expression));
  if (parsed instanceof Error) throw invalid(expression, `is not valid: ${parsed.message}`);
  const shape = syntaxShape(parsed.expr);
  // A macro expands to several nodes a level.
  if (shape.depth > maxCelDepth * (shape.loops ? 4 : 1)) throw invalid(expression, `is nested deeper than ${maxCelDepth} levels`);
  const run = attempt(() => plan(environment, parsed));
  if (run instanceof Error) throw invalid(expression, `cannot be evaluated: ${run.message}`);
  return {
    expression,
    heavy: shape.loops,
    evaluate(variables) {
      const value = attempt(() => run(toInput(variables)));
      if (value instanceof Error || isCelError(value)) return { ok: false, message: value.message };
      return plainResult(value);
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
  return new HatchetError('INVALID_ARGUMENT', `the CEL expression ${JSON.stringify(shown)} ${why}`, { remedy: 'Correct the expression; https://cel.dev has the language.' });
}
