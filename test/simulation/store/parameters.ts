import { parseValue, type ColumnType, type ValueOf } from './columns.ts';
import { refusal } from './refusal.ts';

/** What was bound to $1, $2, … of a statement, in either form in which the engine sends it: array literals, and values that the driver turns into them. */
export class Parameters {
  readonly #values: readonly unknown[];

  constructor(values: readonly unknown[]) {
    this.#values = values;
    for (const value of values) checkText(value);
  }

  get count(): number {
    return this.#values.length;
  }

  one<T extends ColumnType>(place: number, type: T): ValueOf<T> {
    const value = this.orNull(place, type);
    if (value === null) throw new Error(`$${place} is NULL`);
    return value;
  }

  orNull<T extends ColumnType>(place: number, type: T): ValueOf<T> | null {
    const value = this.#at(place);
    if (value === null || value === undefined) return null;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw new Error(`$${place} is no single value`);
    return parseValue(type, String(value));
  }

  /** An array that holds no NULL. */
  all<T extends ColumnType>(place: number, type: T): ValueOf<T>[] {
    return this.allOrNull(place, type).map((value) => {
      if (value === null) throw new Error(`$${place} holds a NULL`);
      return value;
    });
  }

  allOrNull<T extends ColumnType>(place: number, type: T): (ValueOf<T> | null)[] {
    const value = this.#at(place);
    const texts = Array.isArray(value) ? value.map(elementOf) : typeof value === 'string' ? elements(value) : undefined;
    if (texts === undefined) throw new Error(`$${place} is no array`);
    return texts.map((text) => (text === null ? null : parseValue(type, text)));
  }

  #at(place: number): unknown {
    if (place > this.#values.length) throw new Error(`there is no $${place}`);
    return this.#values[place - 1];
  }
}

function checkText(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw refusal('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  } else if (Array.isArray(value)) for (const item of value) checkText(item);
}

function elementOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error('an array holds something that is no single value');
}

/** The elements of an array literal of one dimension. */
export function elements(literal: string): (string | null)[] {
  if (!literal.startsWith('{') || !literal.endsWith('}')) throw refusal('22P02', 'malformed array literal');
  const inner = literal.slice(1, -1);
  if (inner === '') return [];
  if (!inner.includes('"')) return inner.split(',').map((text) => (text === 'NULL' ? null : text));
  const found: (string | null)[] = [];
  for (let at = 0; at <= inner.length; at++) {
    if (inner[at] !== '"') {
      const comma = inner.indexOf(',', at);
      const end = comma < 0 ? inner.length : comma;
      const text = inner.slice(at, end);
      found.push(text === 'NULL' ? null : text);
      at = end;
      continue;
    }
    let text = '';
    let from = ++at;
    for (; inner[at] !== '"'; at++) {
      if (at >= inner.length) throw refusal('22P02', 'malformed array literal');
      if (inner[at] !== '\\') continue;
      text += inner.slice(from, at);
      from = ++at;
    }
    found.push(text + inner.slice(from, at));
    at++;
  }
  return found;
}
