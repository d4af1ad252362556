import { compileCel } from '../../cel/compile-cel.ts';
import { HatchetError } from '../../base/errors.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import { invalid } from './invalid.ts';

/** A CEL expression that compiles. @throws HatchetError INVALID_ARGUMENT */
export function expression(value: string, what: string): Checked<string> {
  try {
    compileCel(value);
  } catch (error) {
    if (error instanceof HatchetError)
      throw invalid(`${what}: ${error.message}`, error.remedy ?? 'Correct the expression.');
    throw error;
  }
  if (value.includes('\0')) throw invalid(`${what} holds a NUL character`, 'Remove it.');
  return markChecked(value);
}

/** As `expression`, for an option that may be absent. @throws HatchetError INVALID_ARGUMENT */
export function optionalExpression(value: string | undefined, what: string): Checked<string> | null {
  return value === undefined || value === '' ? null : expression(value, what);
}
