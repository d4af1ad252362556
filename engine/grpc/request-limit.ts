import { HatchetError } from '../errors.ts';

/** @throws HatchetError INVALID_ARGUMENT */
export function limited(value: number | undefined, fallback: number, most: number): number {
  if (value === undefined) return fallback;
  if (value < 1 || value > most) throw new HatchetError('INVALID_ARGUMENT', `the limit is ${value}`, { remedy: `Choose 1 to ${most}.` });
  return value;
}
