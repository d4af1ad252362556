/**
 * Postgres array literals, built as text: node-postgres's own conversion walks each value by type and costs
 * several times as much, which was most of the JavaScript of a transaction.
 */

const needsEscape = /["\\]/;

/** For numbers and UUIDs, which need no quotes. */
export function plainArray(values: readonly (number | string | null)[]): string {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ',';
    text += values[i] ?? 'NULL';
  }
  return `${text}}`;
}

export function textArray(values: readonly (string | null)[]): string {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ',';
    const value = values[i];
    if (value === null || value === undefined) text += 'NULL';
    else text += needsEscape.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`;
  }
  return `${text}}`;
}

export function boolArray(values: readonly (boolean | null)[]): string {
  return plainArray(values.map((value) => (value === null ? null : value ? 't' : 'f')));
}
