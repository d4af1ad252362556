import { HatchetError } from '../errors.ts';

/** @throws HatchetError INVALID_ARGUMENT */
export function limited(value: number | undefined, fallback: number, most: number): number {
  if (value === undefined) return fallback;
  if (value < 1 || value > most) throw new HatchetError('INVALID_ARGUMENT', `the limit is ${value}`, { remedy: `Choose 1 to ${most}.` });
  return value;
}

/** Characters of a name or key that a caller chooses. */
const longestText = 1000;

/** @throws HatchetError INVALID_ARGUMENT */
export function limitedText(text: string, what: string): string {
  if (text.length > longestText) throw new HatchetError('INVALID_ARGUMENT', `${what} has ${text.length} characters`, { remedy: `Use up to ${longestText}.` });
  return text;
}
