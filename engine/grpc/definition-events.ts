import type { DefaultFilter } from '../model/definition.ts';
import type { DefaultFilter as WireFilter } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { checkDepth } from '../model/payload.ts';
import { expression, invalid } from './definition-error.ts';

const mostKeys = 1000;
const mostFilters = 1000;
const longest = 1000;

/** Keys of events that start the workflow. @throws HatchetError INVALID_ARGUMENT */
export function readEventKeys(keys: readonly string[], workflow: string): string[] {
  if (keys.length > mostKeys) throw invalid(`workflow ${workflow} listens for ${keys.length} event keys`, `Listen for at most ${mostKeys}.`);
  for (const key of keys) if (key === '' || key.length > longest || key.includes('\0')) throw invalid(`an event key of workflow ${workflow} has ${key.length} characters`, `Use 1 to ${longest}, without NUL.`);
  return [...new Set(keys)];
}

/** @throws HatchetError INVALID_ARGUMENT */
export function readDefaultFilters(filters: readonly WireFilter[], workflow: string): DefaultFilter[] {
  if (filters.length > mostFilters) throw invalid(`workflow ${workflow} has ${filters.length} default filters`, `Give it at most ${mostFilters}.`);
  return filters.map((filter) => readFilter({ scope: filter.scope, expression: filter.expression, payload: filter.payload === undefined ? '' : Buffer.from(filter.payload).toString('utf8') }, `a filter of workflow ${workflow}`));
}

/** @throws HatchetError INVALID_ARGUMENT */
export function readFilter(filter: { scope: string; expression: string; payload: string }, what: string): DefaultFilter {
  const { scope } = filter;
  if (scope === '' || scope.length > longest || scope.includes('\0')) throw invalid(`the scope of ${what} has ${scope.length} characters`, `Use 1 to ${longest}, without NUL.`);
  return { scope, expression: expression(filter.expression, `the expression of ${what}`), payload: payloadOf(filter.payload, what) };
}

function payloadOf(text: string, what: string): string {
  if (text === '') return '{}';
  checkDepth(text, `the payload of ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(`the payload of ${what} is not valid JSON`, 'Send a JSON object.');
  }
  if (value === null) return '{}';
  if (typeof value !== 'object' || Array.isArray(value) || text.length > 65_536 || text.includes('\\u0000')) throw invalid(`the payload of ${what} is not a JSON object of up to 64 KiB without NUL`, 'Send a JSON object.');
  return text;
}
