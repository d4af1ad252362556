import { wrongUse } from '../cli-error.ts';
import { isRecord } from '../project/json-value.ts';
import { findJsonError } from './find-json-error.ts';
import { schemaProblems } from './schema-problems.ts';

/** The engine's own limit for one payload. */
export const maxPayloadBytes = 4 * 1024 * 1024;

/**
 * A JSON text as a payload may be: well-formed, without NUL, not over 4 MiB.
 * @param what for messages, such as `--input`
 * @throws CliError with exit code 2
 */
export function checkPayload(text: string, what: string): unknown {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPayloadBytes)
    throw wrongUse(
      `${what} has ${bytes.toLocaleString('en')} bytes; the limit is ${maxPayloadBytes.toLocaleString('en')} (4 MiB)`,
      'Store large data elsewhere, and pass its address.',
    );
  if (text.includes('\0')) throw wrongUse(`${what} holds a NUL character`, 'Remove it: Postgres cannot store it.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const found = findJsonError(text);
    const where = found === undefined ? String(cause) : `line ${found.line}, column ${found.column}: ${found.message}`;
    throw wrongUse(
      `${what} is not valid JSON: ${where}`,
      what.startsWith('--')
        ? `In a shell, put it in single quotes: ${what} '{"message":"Hi"}'.`
        : 'Correct it: names and texts stand in double quotes, and nothing follows the last comma.',
    );
  }
  if (holdsNul(value))
    throw wrongUse(`${what} holds a NUL character (\\u0000)`, 'Remove it: Postgres cannot store it.');
  return value;
}

/** The same for what must be an object. @throws CliError with exit code 2 */
export function checkObject(text: string, what: string): object {
  const value = checkPayload(text, what);
  if (!isRecord(value)) throw wrongUse(`${what} is not a JSON object`, 'Give an object such as {"id": 7}.');
  return value;
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (Array.isArray(value)) return value.some(holdsNul);
  return isRecord(value) && Object.entries(value).some(([name, each]) => name.includes('\0') || holdsNul(each));
}

/** A workflow's own say on its input. */
export interface InputSchema {
  workflow: string;
  /** JSON Schema, or null for none. */
  schema: unknown;
}

/** @throws CliError with exit code 2 that names the fields */
export function checkAgainstSchema(value: unknown, { workflow, schema }: InputSchema): void {
  const problems = schemaProblems(value, schema);
  if (problems.length === 0) return;
  const lines = problems
    .slice(0, 5)
    .map(({ path, text }) => `  ${path.length === 0 ? 'input' : path.join('.')}: ${text}`);
  throw wrongUse(
    `the input does not fit the schema of ${workflow}:\n${[...new Set(lines)].join('\n')}`,
    `See it with \`hatchet workflows get ${workflow}\`.`,
  );
}
