import { invalid, quoted } from './invalid.ts';

/** One of a few names. @throws HatchetError INVALID_ARGUMENT */
export function oneOf<T extends string>(value: unknown, what: string, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found === undefined)
    throw invalid(
      `${what} is ${typeof value === 'string' ? quoted(value) : value === undefined ? 'missing' : `of type ${typeof value}`}`,
      `Choose among ${known.join(', ')}.`,
    );
  return found;
}

/** A number of the wire that stands for one of a few names. @throws HatchetError INVALID_ARGUMENT */
export function numbered<T extends string>(value: number, what: string, known: readonly T[]): T {
  const found = known[value];
  if (found === undefined)
    throw invalid(
      `${what} is ${value}, which stands for nothing`,
      `Send 0 to ${known.length - 1}: ${known.join(', ')}.`,
    );
  return found;
}
