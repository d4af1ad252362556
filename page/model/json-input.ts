import { isRecord } from '../../cli/project/json-value.ts';
import { findJsonError } from '../../cli/input/find-json-error.ts';

export type JsonInput = { value: unknown; problem: undefined } | { value: undefined; problem: string };

/** What typed JSON means, or what is wrong with it. Nothing at all is an empty object. */
export function readJson(text: string): JsonInput {
  if (text.trim() === '') return { value: {}, problem: undefined };
  try {
    return { value: JSON.parse(text), problem: undefined };
  } catch (error) {
    const found = findJsonError(text);
    const where = found === undefined ? String(error) : `line ${found.line}, column ${found.column}: ${found.message}`;
    return { value: undefined, problem: `This is not valid JSON: ${where}` };
  }
}

/** The same, for what has to be an object. */
export function readJsonObject(text: string, what: string): JsonInput {
  const read = readJson(text);
  if (read.problem !== undefined || isRecord(read.value)) return read;
  return { value: undefined, problem: `${what} has to be a JSON object, such as {"id": 7}.` };
}
