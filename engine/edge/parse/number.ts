import { markChecked, type Checked } from '../../model/checked.ts';
import { invalid } from './invalid.ts';

/** Postgres's `integer`, and the contract's int32. */
export const largestInteger = 2 ** 31 - 1;

/**
 * A whole number in a range. A bigint of the wire becomes a number once it is known to fit.
 * @throws HatchetError INVALID_ARGUMENT for any other, NaN and fractions included
 */
export function wholeNumber(
  value: number | bigint,
  what: string,
  range: { min: number; max: number },
): Checked<number> {
  const number = Number(value);
  if (!Number.isInteger(number) || number < range.min || number > range.max)
    throw invalid(`${what} is ${value}`, `Choose a whole number from ${range.min} to ${range.max}.`);
  return markChecked(number);
}

/** How many rows of a list a caller wants; absent is the default. @throws HatchetError INVALID_ARGUMENT */
export function pageLimit(value: number | undefined, fallback: number, most: number): Checked<number> {
  if (value === undefined) return markChecked(fallback);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw invalid(`the limit is ${value}`, `Choose 1 to ${most}.`);
  return markChecked(value);
}

/** 1 is low, 3 is high; absent is left to the workflow. @throws HatchetError INVALID_ARGUMENT */
export function priority(value: number | null | undefined): Checked<number> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value) || value < 1 || value > 3)
    throw invalid(`the priority is ${value}`, 'Choose 1, 2 or 3.');
  return markChecked(value);
}
