import { refusal } from './refusal.ts';

/** Texts that were asked for lately: metadata and definitions come again and again. */
const known = new Map<string, string>();
const mostKnown = 2_000;

/** The text that Postgres keeps for a JSON text: keys by length, then by bytes, the last of two equal ones; numbers in full. */
export function jsonbText(text: string): string {
  const before = known.get(text);
  if (before !== undefined) return before;
  const reader = new Reader(text);
  const canonical = reader.whole();
  if (known.size >= mostKnown) known.clear();
  known.set(text, canonical);
  return canonical;
}

/** `left || right` of two objects. */
export function mergedObjects(left: string, right: string): string {
  const inner = (text: string): string => text.slice(1, -1);
  const both = [inner(left), inner(right)].filter((text) => text !== '').join(', ');
  return jsonbText(`{${both}}`);
}

function byLengthThenBytes(a: string, b: string): number {
  return Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** @param literal as JSON has it @returns as numeric_out writes it */
function numberText(literal: string): string {
  const [, sign = '', whole = '0', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  let digits = whole + fraction;
  let scale = fraction.length - Number(exponent);
  if (scale < 0) {
    digits += '0'.repeat(-scale);
    scale = 0;
  }
  digits = digits.padStart(scale + 1, '0');
  const integer = digits.slice(0, digits.length - scale).replace(/^0+(?=\d)/, '');
  const text = scale === 0 ? integer : `${integer}.${digits.slice(digits.length - scale)}`;
  return /^[0.]*$/.test(text) ? text : sign + text;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): string {
    const value = this.#value();
    this.#space();
    if (this.#at !== this.#text.length) throw this.#wrong();
    return value;
  }

  #value(): string {
    this.#space();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object();
    if (first === '[') return this.#array();
    if (first === '"') return JSON.stringify(this.#string());
    const word = this.#match(/true|false|null/y);
    if (word !== undefined) return word;
    const number = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (number === undefined) throw this.#wrong();
    return numberText(number);
  }

  #object(): string {
    this.#at++;
    const members = new Map<string, string>();
    if (this.#next('}')) return '{}';
    do {
      this.#space();
      const key = this.#string();
      if (!this.#next(':')) throw this.#wrong();
      members.set(key, this.#value());
    } while (this.#next(','));
    if (!this.#next('}')) throw this.#wrong();
    const sorted = [...members].sort(([a], [b]) => byLengthThenBytes(a, b));
    return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(', ')}}`;
  }

  #array(): string {
    this.#at++;
    const items: string[] = [];
    if (this.#next(']')) return '[]';
    do items.push(this.#value());
    while (this.#next(','));
    if (!this.#next(']')) throw this.#wrong();
    return `[${items.join(', ')}]`;
  }

  #string(): string {
    const literal = this.#match(/"(?:[^"\\]|\\.)*"/y);
    if (literal === undefined) throw this.#wrong();
    let value: unknown;
    try {
      value = JSON.parse(literal);
    } catch {
      throw this.#wrong();
    }
    if (typeof value !== 'string') throw this.#wrong();
    if (value.includes('\0')) throw refusal('22P05', 'unsupported Unicode escape sequence');
    return value;
  }

  #next(sign: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #wrong(): Error {
    return refusal('22P02', 'invalid input syntax for type json');
  }
}
