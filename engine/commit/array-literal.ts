/**
 * Postgres array literals, built as text: node-postgres's own conversion walks each value by type and costs
 * several times as much, which was most of the JavaScript of a transaction.
 */

const needsEscape = /["\\]/;
/** What JSON escapes beside quotes and backslashes: control characters and surrogates. */
const escapedByJson = /[\u0000-\u001f\ud800-\udfff]/;

/** For numbers and UUIDs, which need no quotes. */
export function plainArray(values: readonly (number | string | null)[]): string {
  // join() writes the text once, where += leaves two objects a value to be collected.
  return `{${(values.includes(null) ? values.map((value) => value ?? 'NULL') : values).join(',')}}`;
}

export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quoted(value))).join(',')}}`;
}

function quoted(value: string): string {
  if (!needsEscape.test(value)) return `"${value}"`;
  // Nearly every payload has quotes. JSON.stringify escapes them as Postgres has it, in a quarter of the time.
  return escapedByJson.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : JSON.stringify(value);
}

export function boolArray(values: readonly (boolean | null)[]): string {
  return plainArray(values.map((value) => (value === null ? null : value ? 't' : 'f')));
}
