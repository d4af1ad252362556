/** Lines of Postgres's text format for COPY. */

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const escaped = /[\\\n\r\t]/;
const control = /[\n\r\t]/;

/** A number, a UUID, or another text in which nothing needs an escape. */
export function plainField(value: number | string | null): number | string {
  return value ?? '\\N';
}

export function textField(value: string | null): string {
  if (value === null) return '\\N';
  if (!escaped.test(value)) return value;
  // What JSON has is backslashes alone.
  if (!control.test(value)) return value.replaceAll('\\', '\\\\');
  return value.replace(/[\\\n\r\t]/g, (character) => escapes[character] ?? character);
}

export function boolField(value: boolean): string {
  return value ? 't' : 'f';
}

const unescaped: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** The values of a line. */
export function fieldsOf(line: string): (string | null)[] {
  return line
    .slice(0, -1)
    .split('\t')
    .map((field) => {
      if (field === '\\N') return null;
      if (!field.includes('\\')) return field;
      return field.replace(/\\(.)/g, (_, character: string) => unescaped[character] ?? character);
    });
}
