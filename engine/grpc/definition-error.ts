import { compileCel } from '../cel/compile-cel.ts';
import { HatchetError } from '../errors.ts';

export function invalid(message: string, remedy: string): HatchetError {
  return new HatchetError('INVALID_ARGUMENT', message, { remedy });
}

/** A whole number in a range; anything else refuses the registration. */
export function count(value: number, what: string, range: { min: number; max: number }): number {
  if (!Number.isInteger(value) || value < range.min || value > range.max) throw invalid(`${what} is ${value}`, `Choose a whole number from ${range.min} to ${range.max}.`);
  return value;
}

/** An expression that compiles; a bad one refuses the registration. */
export function expression(text: string, what: string): string {
  try {
    compileCel(text);
  } catch (error) {
    if (error instanceof HatchetError) throw invalid(`${what}: ${error.message}`, error.remedy ?? 'Correct the expression.');
    throw error;
  }
  return text;
}

/** As `expression`, for an option that may be absent. */
export function optionalExpression(text: string | undefined, what: string): string | null {
  return text === undefined || text === '' ? null : expression(text, what);
}
