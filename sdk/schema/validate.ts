import { HatchetError } from '../errors.ts';
import { cut, entriesOf, fieldOf, isList, safely, textOf } from '../failure/safe-reads.ts';
import type { SchemaIssue, StandardSchema } from './standard-schema.ts';

/** More issues than this are counted, not listed: the message ends up in lists and terminals. */
const longestList = 10;

/** Issues that an error keeps. */
const mostIssues = 1_000;
/** Characters of one issue's message, and of its path. */
const longestIssue = 1_000;
/** Segments of a path. */
const longestPath = 200;

/** A value that its schema refuses. */
export class SchemaError extends HatchetError {
  readonly issues: readonly SchemaIssue[];

  constructor(code: 'INVALID_INPUT' | 'INVALID_OUTPUT', what: string, issues: readonly SchemaIssue[], remedy?: string) {
    super(code, `${what} does not match its schema: ${describeIssues(issues)}`, { remedy });
    this.name = 'SchemaError';
    // A plain list: some libraries give one of their own kind.
    this.issues = [...issues];
  }
}

/**
 * What the schema makes of the value.
 * @param what the value in words, such as `the input of simple`.
 * @throws SchemaError with every issue and its path in the message; whatever the schema throws; INVALID_INPUT or INVALID_OUTPUT
 * for a schema that gives neither a value nor issues
 */
export async function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  code: 'INVALID_INPUT' | 'INVALID_OUTPUT',
  what: string,
): Promise<Output> {
  const result = await schema['~standard'].validate(value);
  if (typeof result !== 'object' || result === null)
    throw new HatchetError(code, `the schema of ${what} gave ${textOf(result)} instead of a result`, {
      remedy: 'Use a schema that keeps to Standard Schema',
    });
  if (result.issues !== undefined) throw new SchemaError(code, what, plainIssues(result.issues));
  return result.value;
}

/** A plain list: some libraries give one of their own kind, and nothing vouches for what stands in it. */
function plainIssues(issues: unknown): SchemaIssue[] {
  const list = isList(issues) ? issues : safely(() => [...Object(issues)], []);
  const { entries } = entriesOf(list, mostIssues);
  return entries.length === 0
    ? [{ message: isList(issues) ? 'it is refused without a reason' : cut(textOf(issues), longestIssue) }]
    : entries.map(plainIssue);
}

function plainIssue(issue: unknown): SchemaIssue {
  const message = fieldOf(issue, 'message');
  const path = fieldOf(issue, 'path');
  const text = cut(textOf(message === undefined ? issue : message), longestIssue);
  return {
    ...plainFields(issue),
    message: text,
    path: isList(path) ? entriesOf(path, longestPath).entries.map(plainSegment) : undefined,
  };
}

/** What its library says of it besides. */
function plainFields(issue: unknown): object {
  return typeof issue === 'object' && issue !== null ? safely(() => ({ ...issue }), {}) : {};
}

function plainSegment(segment: unknown): PropertyKey | { key: PropertyKey } {
  if (typeof segment !== 'object' || segment === null) return plainKey(segment);
  return { key: plainKey(fieldOf(segment, 'key')) };
}

function plainKey(key: unknown): PropertyKey {
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'symbol' ? key : textOf(key);
}

export function describeIssues(issues: readonly SchemaIssue[]): string {
  const lines = issues.slice(0, longestList).map((issue) => {
    const path = cut(describePath(issue), longestIssue);
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  const more = issues.length - lines.length;
  return more > 0 ? `${lines.join('; ')}; and ${more} more` : lines.join('; ');
}

function describePath(issue: SchemaIssue): string {
  let text = '';
  for (const segment of issue.path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}
