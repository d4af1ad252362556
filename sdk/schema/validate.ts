import { HatchetError } from '../errors.ts';
import type { SchemaIssue, StandardSchema } from './standard-schema.ts';

/** More issues than this are counted, not listed: the message ends up in lists and terminals. */
const longestList = 10;

/** A value that its schema refuses. */
export class SchemaError extends HatchetError {
  readonly issues: readonly SchemaIssue[];

  constructor(code: 'INVALID_INPUT' | 'INVALID_OUTPUT', what: string, issues: readonly SchemaIssue[]) {
    super(code, `${what} does not match its schema: ${describeIssues(issues)}`);
    this.name = 'SchemaError';
    // A plain list: some libraries give one of their own kind.
    this.issues = [...issues];
  }
}

/**
 * What the schema makes of the value.
 * @param what the value in words, such as `the input of simple`.
 * @throws SchemaError with every issue and its path in the message.
 */
export async function validate<Output>(schema: StandardSchema<unknown, Output>, value: unknown, code: 'INVALID_INPUT' | 'INVALID_OUTPUT', what: string): Promise<Output> {
  const result = await schema['~standard'].validate(value);
  if (result.issues !== undefined) throw new SchemaError(code, what, result.issues);
  return result.value;
}

export function describeIssues(issues: readonly SchemaIssue[]): string {
  const lines = issues.slice(0, longestList).map((issue) => {
    const path = describePath(issue);
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
