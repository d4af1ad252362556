import { markChecked, type Checked } from '../../model/checked.ts';
import { invalid, quoted } from './invalid.ts';

/** A place in a list, as a line of it or the page before carried it: a whole number as text. @throws HatchetError INVALID_ARGUMENT */
export function lineCursor(value: string | undefined): Checked<string> | null {
  if (value === undefined || value === '') return null;
  if (!/^\d{1,18}$/.test(value))
    throw invalid(`${quoted(value)} is not a cursor`, 'Pass a cursor that a line carried.');
  return markChecked(value);
}
