import { Validator } from '@cfworker/json-schema';
import { isRecord } from '../project/json-value.ts';

/** Where a value does not fit its schema. */
export interface SchemaProblem {
  /** Names and indexes from the top. */
  path: readonly string[];
  text: string;
}

/** None where it fits, or where there is no schema. */
export function schemaProblems(value: unknown, schema: unknown): readonly SchemaProblem[] {
  if (!isRecord(schema)) return [];
  const { valid, errors } = new Validator(schema, draftOf(schema), false).validate(value);
  if (valid) return [];
  // The validator reports the failing leaf first, then every schema around it.
  const leaves = errors.filter((error) => !around.has(error.keyword));
  const problems = (leaves.length === 0 ? errors : leaves).map(({ instanceLocation, keyword, error }) => ({
    path: pathOf(instanceLocation),
    text: keyword === 'false' ? 'The schema has no such field.' : error,
    isForeign: keyword === 'false',
  }));
  // Of a field that does not fit it says too that the object has no such field: that holds where it says nothing else of it.
  return problems
    .filter(
      ({ path, isForeign }) =>
        !isForeign ||
        problems.every((other) => (other.isForeign ? !isBeneath(other.path, path) : !startsWith(other.path, path))),
    )
    .map(({ path, text }) => ({ path, text }));
}

/** Keywords that only pass on what is wrong within. */
const around: ReadonlySet<string> = new Set([
  'properties',
  'items',
  'allOf',
  '$ref',
  'additionalItems',
  'additionalProperties',
  'prefixItems',
]);

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((part, index) => path[index] === part);
}

function isBeneath(path: readonly string[], start: readonly string[]): boolean {
  return path.length > start.length && startsWith(path, start);
}

function draftOf(schema: Record<string, unknown>): '4' | '7' | '2019-09' | '2020-12' {
  const named = schema['$schema'];
  if (typeof named !== 'string') return '2020-12';
  if (named.includes('draft-04')) return '4';
  if (named.includes('draft-06') || named.includes('draft-07')) return '7';
  return named.includes('2019-09') ? '2019-09' : '2020-12';
}

function pathOf(pointer: string): string[] {
  return pointer
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
