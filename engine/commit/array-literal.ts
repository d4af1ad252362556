/**
 * Postgres array literals, built as text: node-postgres's own conversion walks each value by type and costs
 * several times as much, which was most of the JavaScript of a transaction.
 */

const needsEscape = /["\\]/;
/** What JSON escapes beside quotes and backslashes: control characters and surrogates. */
const escapedByJson = /[^\u0020-\ud7ff\ue000-\uffff]/;

/** For numbers and UUIDs, which need no quotes. */
export function plainArray(values: readonly (number | string | null)[]): string {
  if (isUniform(values)) return repeated(String(values[0] ?? 'NULL'), values.length);
  // join() writes the text once, where += leaves two objects a value to be collected.
  return `{${(values.includes(null) ? values.map((value) => value ?? 'NULL') : values).join(',')}}`;
}

export function textArray(values: readonly (string | null)[]): string {
  if (isUniform(values)) return repeated(quoted(values[0] ?? null), values.length);
  return `{${values.map(quoted).join(',')}}`;
}

/** As most columns are: the tenant, the version, the shard, what only few tasks have. */
function isUniform(values: readonly unknown[]): boolean {
  const [first] = values;
  for (let i = 1; i < values.length; i++) if (values[i] !== first) return false;
  return true;
}

function repeated(item: string, count: number): string {
  return count === 0 ? '{}' : `{${`${item},`.repeat(count - 1)}${item}}`;
}

function quoted(value: string | null): string {
  if (value === null) return 'NULL';
  if (!needsEscape.test(value)) return `"${value}"`;
  // Nearly every payload has quotes. JSON.stringify escapes them as Postgres has it, in a quarter of the time.
  return escapedByJson.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : JSON.stringify(value);
}

export function boolArray(values: readonly (boolean | null)[]): string {
  return plainArray(values.map((value) => (value === null ? null : value ? 't' : 'f')));
}
