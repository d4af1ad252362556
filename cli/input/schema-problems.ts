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
  const leaves = errors.filter(
    (error) => !['properties', 'items', 'allOf', '$ref', 'additionalItems', 'prefixItems'].includes(error.keyword),
  );
  return (leaves.length === 0 ? errors : leaves).map((error) => ({
    path: pathOf(error.instanceLocation),
    text: error.error,
  }));
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
