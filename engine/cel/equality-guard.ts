import { createHash } from 'node:crypto';
import { maxCelDepth } from './compile-cel.ts';

/** `input.a.b == literal` */
export interface EqualityGuard {
  readonly path: readonly string[];
  readonly value: Scalar;
}

type Scalar = string | number | boolean;

const equality = /\s*input((?:\.[A-Za-z_]\w*)+)\s*==\s*("[^"\\]*"|'[^'\\]*'|-?\d+(?:\.\d+)?|true|false)\s*(&&|$)/y;

/** Hashing takes 2 µs. */
const mostGuards = 1_000;

/** Of an expression that begins with no equality. */
export const noGuard = '0';

/**
 * What must be equal for an expression to be true: the equalities at its beginning, joined by `&&`. Of thousands that each
 * wait for the event about one id, all but that one are passed over without being compiled (68 µs each).
 */
export function equalityGuards(expression: string): readonly EqualityGuard[] {
  // Only `||` and `?:` bind less than `&&`: with one of them the rest may be true although the beginning is not.
  if (expression.includes('||') || expression.includes('?')) return [];
  const guards: EqualityGuard[] = [];
  equality.lastIndex = 0;
  for (let found = equality.exec(expression); found !== null; found = equality.exec(expression)) {
    const [, path = '', literal = '', joint = ''] = found;
    guards.push({ path: path.slice(1).split('.'), value: valueOf(literal) });
    if (joint === '') break;
  }
  return guards;
}

/** Whether one of them is certainly false, and so the expression, whatever else it says. Where it may fail, it is not. */
export function isRuledOut(guards: readonly EqualityGuard[], input: unknown): boolean {
  return guards.some(({ path, value }) => {
    let there = input;
    for (const name of path)
      there = isObject(there) && Object.hasOwn(there, name) ? Reflect.get(there, name) : undefined;
    return typeof there === typeof value && there !== value;
  });
}

/** The last of an expression's guards, the likeliest to tell one task from another, as 64 bits in decimal digits. */
export function guardOf(expression: string): string {
  const guard = equalityGuards(expression).at(-1);
  return guard === undefined ? noGuard : hash(guard.path, guard.value);
}

/** The guards that hold for an event: an expression that has another is not true. Undefined where they are too many. */
export function guardsOf(input: unknown): string[] | undefined {
  const guards = [noGuard];
  const open: { path: readonly string[]; value: unknown }[] = [{ path: [], value: input }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, value } = next;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      guards.push(hash(path, value));
    else if (isObject(value) && path.length < maxCelDepth)
      for (const [name, inner] of Object.entries(value)) open.push({ path: [...path, name], value: inner });
    if (open.length + guards.length > mostGuards) return undefined;
  }
  return guards;
}

function hash(path: readonly string[], value: Scalar): string {
  const digest = createHash('md5')
    .update(JSON.stringify([path, value]))
    .digest();
  return String(digest.readBigInt64BE());
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number beyond 2^53 is rounded, as the number in the event was: what is equal stays equal. */
function valueOf(literal: string): Scalar {
  if (literal === 'true' || literal === 'false') return literal === 'true';
  return literal.startsWith('"') || literal.startsWith("'") ? literal.slice(1, -1) : Number(literal);
}
