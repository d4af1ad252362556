/** In place of a value that is too long: an agent has room for so much, and can ask for more. */
export interface CutValue {
  /** Characters of the whole: of the text itself, or of the value's JSON. */
  cutFrom: number;
  begins: string;
}

/** Members that hold what users' code made: JSON of any size. */
const payloads: ReadonlySet<string> = new Set(['input', 'output', 'metadata', 'payload', 'inputJsonSchema']);

/**
 * The same value, in which every text of more than `mostChars` characters, and every payload whose JSON has more, is a `CutValue`.
 * What is short stays as it is.
 */
export function cutValues(value: unknown, mostChars: number): unknown {
  if (typeof value === 'string') return cutText(value, mostChars);
  if (Array.isArray(value)) return value.map((each) => cutValues(each, mostChars));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]: [string, unknown]) => [
      name,
      payloads.has(name) ? cutPayload(member, mostChars) : cutValues(member, mostChars),
    ]),
  );
}

function cutPayload(value: unknown, mostChars: number): unknown {
  if (typeof value === 'string') return cutText(value, mostChars);
  // Undefined has no JSON.
  const text = value === undefined ? '' : JSON.stringify(value);
  return text.length <= mostChars ? value : cut(text, mostChars);
}

function cutText(text: string, mostChars: number): string | CutValue {
  return text.length <= mostChars ? text : cut(text, mostChars);
}

/** No pair of surrogates is cut in two. */
function cut(text: string, mostChars: number): CutValue {
  const last = text.charCodeAt(mostChars - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return { cutFrom: text.length, begins: text.slice(0, isHalf ? mostChars - 1 : mostChars) };
}
