import { HatchetError, type ErrorCode } from '../../base/errors.ts';
import type { Checked } from '../../model/checked.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { invalid, quoted } from './invalid.ts';

/** @throws HatchetError INVALID_ARGUMENT for what is no UUID */
export function id(value: string, what: string): Checked<string> {
  const uuid = parseUuid(value);
  if (uuid === undefined) throw invalid(`${what} is ${quoted(value)}`, 'Send a UUID.');
  return uuid;
}

const kinds = {
  UNKNOWN_RUN: 'run',
  UNKNOWN_WORKER: 'worker',
  UNKNOWN_EVENT: 'event',
  UNKNOWN_FILTER: 'filter',
  UNKNOWN_TIMER: 'cron or scheduled run',
  UNKNOWN_WORKFLOW: 'workflow',
} satisfies Partial<Record<ErrorCode, string>>;

/** The id of something that exists. What is no UUID names nothing: it is unknown, as any other wrong id is. @throws HatchetError the given code */
export function knownId(value: string, code: keyof typeof kinds): Checked<string> {
  const uuid = parseUuid(value);
  if (uuid === undefined)
    throw new HatchetError(code, `there is no ${kinds[code]} ${quoted(value)}`, { remedy: 'Check the id.' });
  return uuid;
}

/** Of a list of ids, those that can name something; the others are passed over, as ids of what is gone are. */
export function ids(values: readonly string[]): Checked<string>[] {
  return values.flatMap((value) => parseUuid(value) ?? []);
}
