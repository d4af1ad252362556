/** `input.a.b == literal` */
export interface EqualityGuard {
  readonly path: readonly string[];
  readonly value: string | number | boolean;
}

const equality = /\s*input((?:\.[A-Za-z_]\w*)+)\s*==\s*("[^"\\]*"|'[^'\\]*'|-?\d+(?:\.\d+)?|true|false)\s*(&&|$)/y;

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

/** What an equality may be compared with; undefined where only the whole expression can tell. */
export function guardedValue(input: unknown, path: readonly string[]): string | number | boolean | undefined {
  let value = input;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

/** Whether one of them is certainly false, and so the expression, whatever else it says. Where it may fail, it is not. */
export function isRuledOut(guards: readonly EqualityGuard[], input: unknown): boolean {
  return guards.some((guard) => {
    const value = guardedValue(input, guard.path);
    return typeof value === typeof guard.value && value !== guard.value;
  });
}

/** A whole number beyond 2^53 is rounded, as the number in the event was: what is equal stays equal. */
function valueOf(literal: string): string | number | boolean {
  if (literal === 'true' || literal === 'false') return literal === 'true';
  return literal.startsWith('"') || literal.startsWith("'") ? literal.slice(1, -1) : Number(literal);
}
