import { HatchetError } from './errors.ts';

/**
 * A date that plain JavaScript may have given as a text, or from a text that is no time.
 * @param name for the message, such as `triggerAt`
 * @throws HatchetError INVALID_ARGUMENT
 */
export function checkedDate(given: Date, name: string): Date {
  const date = new Date(given);
  if (Number.isNaN(date.getTime()))
    throw new HatchetError('INVALID_ARGUMENT', `${name} is not a valid date`, {
      remedy: 'Give a Date, such as new Date(Date.now() + 60_000)',
    });
  return date;
}
