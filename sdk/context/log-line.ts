import { describeFailure } from '../failure/describe-failure.ts';
import { cut, fieldOf, isList, safely, shown, textFieldOf } from '../failure/safe-reads.ts';
import { isError } from '../errors.ts';
import type { LogLine } from './context-host.ts';

/** What goes with a log line. */
export interface LogDetails {
  /** Any value that JSON can carry. */
  extra?: unknown;
  error?: Error | undefined;
}

/** Characters of a line's details; the engine takes 64 Ki. */
const longestMetadata = 60_000;
/** Of what is cut; a control character becomes six in JSON. */
const longestCut = 4_000;
/** Levels of JSON; the engine takes 200. */
const deepestMetadata = 100;

const levels: ReadonlySet<unknown> = new Set(['DEBUG', 'INFO', 'WARN', 'ERROR']);

/** A line of whatever a task has logged, which plain JavaScript does not keep to texts. Gives an answer for every value. */
export function logLine(message: unknown, level: unknown, details: unknown): LogLine {
  return {
    at: new Date(),
    level: isLevel(level) ? level : 'INFO',
    message: lineText(message),
    metadata: writeMetadata(details),
  };
}

function isLevel(level: unknown): level is LogLine['level'] {
  return levels.has(level);
}

/** A text as it is, an error with its stack, anything else as `console.log` shows it. */
function lineText(message: unknown): string {
  if (!isError(message)) return shown(message);
  const failure = describeFailure(message);
  return failure.stack ?? failure.message;
}

/** The details as JSON. What JSON cannot carry, or what is too much, becomes its text: a log line never fails its task. */
function writeMetadata(details: unknown): string {
  const extra = fieldOf(details, 'extra');
  const error = fieldOf(details, 'error');
  const fields =
    typeof extra === 'object' && extra !== null && !isList(extra)
      ? safely(() => ({ ...extra }), { extra })
      : extra === undefined
        ? {}
        : { extra };
  const failure = error === undefined ? {} : { error: describeFailure(error) };
  const json = safely(() => JSON.stringify({ ...fields, ...failure }), undefined);
  if (json !== undefined && json.length <= longestMetadata && !isDeep(json)) return json;
  return JSON.stringify({
    extra: cut(shown(extra), longestCut),
    ...('error' in failure ? { error: { message: cut(textFieldOf(failure.error, 'message') ?? '', longestCut) } } : {}),
  });
}

/** Brackets within texts count too: what has so many is rather shown than lost. */
function isDeep(json: string): boolean {
  let depth = 0;
  for (const bracket of json.match(/[[\]{}]/g) ?? []) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    if (depth > deepestMetadata) return true;
  }
  return false;
}
