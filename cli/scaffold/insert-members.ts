import { isMap, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml';

/** What to add to objects at the top level of a JSON text: by the object's name, then by the member's. */
export type Insertions = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Piece {
  at: number;
  text: string;
}

/**
 * Adds members to a JSON text and leaves every other character as it is. Indentation and line ends are those of the text.
 * The text is JSON already; the members are not in it. (JSON is YAML as well, and the YAML parser says where each value stands;
 * printing the parsed value anew would break up the lists that people keep on one line.)
 */
export function insertMembers(text: string, insertions: Insertions): string {
  const start = text.startsWith('\uFEFF') ? 1 : 0;
  const root = parseDocument(text.slice(start), { uniqueKeys: false, strict: false, logLevel: 'silent' }).contents;
  if (!isMap(root)) return text;
  const style = styleOf(text);
  const pieces: Piece[] = [];
  const missing: string[] = [];
  for (const [name, members] of Object.entries(insertions)) {
    const lines = Object.entries(members).map(
      ([key, value]) => `${JSON.stringify(key)}:${style.space}${JSON.stringify(value)}`,
    );
    if (lines.length === 0) continue;
    // As JSON.parse has it, the last of two members of one name counts.
    const present = root.items.findLast((pair) => isScalar(pair.key) && pair.key.value === name)?.value;
    if (isMap(present)) pieces.push(inside(present, lines, { style, depth: 2 }));
    else
      missing.push(
        `${JSON.stringify(name)}:${style.space}{${lines.map((line) => style.lineOf(2) + line).join(',')}${style.lineOf(1)}}`,
      );
  }
  if (missing.length > 0) pieces.push(inside(root, missing, { style, depth: 1 }));
  let result = text;
  // From the end, so that what stands before keeps its place.
  for (const { at, text: added } of pieces.toSorted((a, b) => b.at - a.at))
    result = result.slice(0, start + at) + added + result.slice(start + at);
  return result;
}

function inside(map: YAMLMap, members: readonly string[], { style, depth }: { style: Style; depth: number }): Piece {
  const added = members.map((member) => style.lineOf(depth) + member).join(',');
  const last = map.items.at(-1);
  if (last !== undefined) return { at: endOf(last), text: `,${added}` };
  // `{}`: its closing brace goes to a line of its own.
  return { at: (map.range?.[0] ?? 0) + 1, text: added + style.lineOf(depth - 1) };
}

function endOf(pair: Pair): number {
  const { value } = pair;
  const range: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'range') : undefined;
  return Array.isArray(range) ? Number(range[1]) : 0;
}

interface Style {
  /** Between a name and its value. */
  space: string;
  /** The beginning of a line. */
  lineOf(depth: number): string;
}

/** As the first member is indented. A text of one line stays one. */
function styleOf(text: string): Style {
  const found = /\{[^\S\r\n]*(\r?\n)\s*?([ \t]*)"/.exec(text);
  if (found === null && /"/.test(text)) return { space: '', lineOf: () => '' };
  const [, newline = text.includes('\r\n') ? '\r\n' : '\n', indent = '  '] = found ?? [];
  return { space: ' ', lineOf: (depth) => newline + indent.repeat(depth) };
}
