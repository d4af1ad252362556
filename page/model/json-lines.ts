import { isRecord } from '../../cli/project/json-value.ts';
import { jsonText } from '../../cli/output/plain-text.ts';

/** A line of a folded view of a value. */
export interface JsonLine {
  /** A JSON pointer: what folds and unfolds goes by it. */
  path: string;
  depth: number;
  /** Name in an object, index in an array; undefined at the top. */
  name: string | undefined;
  kind: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | 'more';
  /** Of a value without parts: its JSON. Of one with parts: what it holds, such as `3 items`. */
  text: string;
  isOpen: boolean;
  /** Whether there is anything to fold. */
  canFold: boolean;
}

/** Parts of one value that are shown at first; more come by a click on the line that says how many there are. */
export const partsShown = 100;
/** Characters of one string that a line shows. */
const longestText = 2_000;
const openDepth = 2;

/** How a value is folded: by path what differs from the rule that the first levels are open, and where more parts are shown. */
export interface Folding {
  toggled: ReadonlySet<string>;
  more: ReadonlyMap<string, number>;
}

export const unfolded: Folding = { toggled: new Set(), more: new Map() };

export function jsonLines(value: unknown, folding: Folding = unfolded): readonly JsonLine[] {
  const lines: JsonLine[] = [];
  walk({ value, path: '', depth: 0, name: undefined }, folding, lines);
  return lines;
}

interface Place {
  value: unknown;
  path: string;
  depth: number;
  name: string | undefined;
}

function walk({ value, path, depth, name }: Place, folding: Folding, lines: JsonLine[]): void {
  const parts = partsOf(value);
  const line = { path, depth, name, kind: kindOf(value) };
  if (parts === undefined) {
    lines.push({ ...line, text: leafText(value), isOpen: false, canFold: false });
    return;
  }
  const canFold = parts.length > 0;
  const isOpen = canFold && depth < openDepth !== folding.toggled.has(path);
  lines.push({ ...line, text: sizeText(value, parts.length), isOpen, canFold });
  if (!isOpen) return;
  const shown = folding.more.get(path) ?? partsShown;
  for (const [part, of] of parts.slice(0, shown))
    walk({ value: of, path: `${path}/${escaped(part)}`, depth: depth + 1, name: part }, folding, lines);
  if (parts.length > shown)
    lines.push({
      path,
      depth: depth + 1,
      name: undefined,
      kind: 'more',
      text: `${parts.length - shown} more`,
      isOpen: false,
      canFold: false,
    });
}

/** Paths of values that have the text in their name or value, in order, and what must be open to see them. */
export function findInJson(value: unknown, search: string, most = 1_000): { matches: string[]; open: Set<string> } {
  const wanted = search.toLowerCase();
  const matches: string[] = [];
  const open = new Set<string>();
  const look = (at: unknown, path: string, name: string | undefined, above: readonly string[]): void => {
    if (matches.length >= most) return;
    const parts = partsOf(at);
    const ownText = parts === undefined ? leafText(at) : '';
    if (name?.toLowerCase().includes(wanted) === true || ownText.toLowerCase().includes(wanted)) {
      matches.push(path);
      for (const each of above) open.add(each);
    }
    for (const [part, of] of parts ?? []) look(of, `${path}/${escaped(part)}`, part, [...above, path]);
  };
  if (wanted !== '') look(value, '', undefined, []);
  return { matches, open };
}

/** A folding in which these paths are open. */
export function opened(folding: Folding, paths: ReadonlySet<string>): Folding {
  const toggled = new Set(folding.toggled);
  for (const path of paths) {
    const isOpenByRule = depthOf(path) < openDepth;
    if (isOpenByRule) toggled.delete(path);
    else toggled.add(path);
  }
  return { ...folding, toggled };
}

export function toggledAt(folding: Folding, path: string): Folding {
  const toggled = new Set(folding.toggled);
  if (!toggled.delete(path)) toggled.add(path);
  return { ...folding, toggled };
}

export function withMore(folding: Folding, path: string): Folding {
  const more = new Map(folding.more);
  more.set(path, (more.get(path) ?? partsShown) * 4);
  return { ...folding, more };
}

function partsOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (Array.isArray(value)) return value.map((item: unknown, index) => [String(index), item] as const);
  return isRecord(value) ? Object.entries(value) : undefined;
}

function kindOf(value: unknown): Exclude<JsonLine['kind'], 'more'> {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'number';
  return typeof value === 'boolean' ? 'boolean' : 'object';
}

function leafText(value: unknown): string {
  const text = jsonText(value ?? null);
  return text.length > longestText ? `${text.slice(0, longestText)}… (${text.length} characters)` : text;
}

function sizeText(value: unknown, size: number): string {
  if (Array.isArray(value)) return `${size} ${size === 1 ? 'item' : 'items'}`;
  return `${size} ${size === 1 ? 'field' : 'fields'}`;
}

function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length - 1;
}

function escaped(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}
