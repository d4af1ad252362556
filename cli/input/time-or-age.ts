import { InvalidArgumentError } from 'commander';
import { durationMs } from './parse-flags.ts';

/** A time (ISO 8601), or how long ago (`1h`). */
export function timeOrAge(text: string): Date {
  if (/^\d+(?:\.\d+)?(?:ms|[smhd])/.test(text)) return new Date(Date.now() - durationMs(text));
  const date = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(date.getTime()))
    throw new InvalidArgumentError('Give a time such as 2030-01-31T12:00:00Z, or an age such as 2h.');
  return date;
}
