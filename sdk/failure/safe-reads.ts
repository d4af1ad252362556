import { inspect } from 'node:util';

/**
 * Functions that give an answer for every value. What user code throws, returns and logs may have getters, traps and
 * conversions that throw themselves, and reading it must not end a worker with all its other tasks.
 */

/** Characters of a value that is shown. */
const longestText = 10_000;

/** What the function gives, or the other value where it throws. */
export function safely<Result>(read: () => Result, otherwise: Result): Result {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** A property; `undefined` where there is none or it cannot be read. */
export function fieldOf(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return safely(() => Reflect.get(value, key), undefined);
}

/** The property, where it is a text. */
export function textFieldOf(value: unknown, key: PropertyKey): string | undefined {
  const field = fieldOf(value, key);
  return typeof field === 'string' ? field : undefined;
}

export function isList(value: unknown): value is readonly unknown[] {
  return safely(() => Array.isArray(value), false);
}

/** Entries of a list, those that cannot be read as `undefined`, and how many it has. */
export function entriesOf(list: readonly unknown[], most: number): { entries: unknown[]; count: number } {
  const length = fieldOf(list, 'length');
  const count = typeof length === 'number' && length > 0 ? length : 0;
  return { entries: Array.from({ length: Math.min(count, most) }, (_, index) => fieldOf(list, index)), count };
}

/** A value in words: a text as it is, else as JSON where it is plain data, else as Node shows it. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const json = typeof value === 'object' ? safely(() => JSON.stringify(value), undefined) : undefined;
  return cut(json ?? shown(value), longestText);
}

/** A value as `console.log` shows it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  const plain = { depth: 4, maxArrayLength: 100, maxStringLength: longestText };
  return (
    safely(() => inspect(value, plain), undefined) ??
    safely(() => inspect(value, { ...plain, customInspect: false }), undefined) ??
    `a value of the type ${typeof value} that cannot be shown`
  );
}

/** At most so many characters. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (cut)`;
}
