export interface JsonError {
  /** From 0, in UTF-16 units; the text's length when it ends too early. */
  offset: number;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  message: string;
}

class Stop extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

// Sticky: each matches at one position only.
const blank = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /true|false|null/y;
/** From U+0020 on, without quote and backslash. */
const plain = /[ !#-[\]-\uffff]*/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** JSON.parse itself goes far deeper; nobody types this. */
const deepest = 2_000;

/** Where a text stops being JSON. Node's own parser names a position in some of its messages only. */
export function findJsonError(text: string): JsonError | undefined {
  try {
    const end = skip(text, value(text, skip(text, 0), 0));
    if (end < text.length) throw new Stop(end, `${show(text, end)} after the end of the value`);
    return undefined;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const before = text.slice(0, error.offset).split('\n');
    return {
      offset: error.offset,
      line: before.length,
      column: (before.at(-1) ?? '').length + 1,
      message: error.message,
    };
  }
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function skip(text: string, at: number): number {
  return match(blank, text, at);
}

function show(text: string, at: number): string {
  return at >= text.length
    ? 'the text ends'
    : `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}`;
}

function value(text: string, at: number, depth: number): number {
  if (depth > deepest) throw new Stop(at, 'nested too deeply');
  const first = text[at];
  if (first === '{') return members(text, at, depth, true);
  if (first === '[') return members(text, at, depth, false);
  if (first === '"') return string(text, at);
  const end = match(first === '-' || (first !== undefined && first >= '0' && first <= '9') ? number : word, text, at);
  if (end === at) throw new Stop(at, `${show(text, at)} where a value should be`);
  return end;
}

function members(text: string, start: number, depth: number, named: boolean): number {
  const close = named ? '}' : ']';
  let at = skip(text, start + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    if (named) {
      if (text[at] !== '"') throw new Stop(at, `${show(text, at)} where a name in double quotes should be`);
      at = skip(text, string(text, at));
      if (text[at] !== ':') throw new Stop(at, `${show(text, at)} where ":" should be`);
      at = skip(text, at + 1);
    }
    at = skip(text, value(text, at, depth + 1));
    if (text[at] === close) return at + 1;
    if (text[at] !== ',') throw new Stop(at, `${show(text, at)} where "," or "${close}" should be`);
    at = skip(text, at + 1);
  }
}

function string(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    at = match(plain, text, at);
    if (text[at] === '"') return at + 1;
    if (text[at] !== '\\')
      throw new Stop(
        at,
        at >= text.length
          ? 'the text ends inside a string'
          : 'a control character inside a string; write it as an escape',
      );
    const end = match(escape, text, at);
    if (end === at) throw new Stop(at, 'an unknown escape inside a string');
    at = end;
  }
}
