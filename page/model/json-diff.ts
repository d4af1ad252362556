import { isRecord } from '../../cli/project/json-value.ts';

/** One place at which two values differ. */
export interface Difference {
  /** Such as `items[2].price`; empty for the whole value. */
  path: string;
  kind: 'added' | 'removed' | 'changed';
  before: unknown;
  after: unknown;
}

/** Where two values differ, top down; at most so many places. */
export function jsonDiff(before: unknown, after: unknown, most = 500): readonly Difference[] {
  const found: Difference[] = [];
  compare({ path: '', before, after }, found, most);
  return found;
}

interface Pair {
  path: string;
  before: unknown;
  after: unknown;
}

function compare({ path, before, after }: Pair, found: Difference[], most: number): void {
  if (found.length >= most || Object.is(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    const a: readonly unknown[] = before;
    const b: readonly unknown[] = after;
    for (let index = 0; index < Math.max(a.length, b.length); index++)
      part({ path: `${path}[${index}]`, before: a[index], after: b[index] }, index in a, index in b, found, most);
    return;
  }
  if (isRecord(before) && isRecord(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const inner = path === '' ? name : `${path}.${name}`;
      const pair = { path: inner, before: before[name], after: after[name] };
      part(pair, Object.hasOwn(before, name), Object.hasOwn(after, name), found, most);
    }
    return;
  }
  found.push({ path, kind: 'changed', before, after });
}

function part(pair: Pair, isBefore: boolean, isAfter: boolean, found: Difference[], most: number): void {
  if (isBefore && isAfter) compare(pair, found, most);
  else if (found.length < most) found.push({ ...pair, kind: isAfter ? 'added' : 'removed' });
}
