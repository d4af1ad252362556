import { markChecked, type Checked } from '../../model/checked.ts';
import { unstorable } from '../../model/payload/storable-text.ts';
import { invalid } from './invalid.ts';

/** Characters of a name or key that a caller chooses. */
export const longestText = 1000;
/** Characters of what is only shown, such as a worker's name. */
const longestShown = 255;

/**
 * A name or key that a caller chooses.
 * @param options.least characters, default 0
 * @param options.most characters, default 1000
 * @throws HatchetError INVALID_ARGUMENT where it is shorter or longer, or holds NUL or half of a surrogate pair, which Postgres cannot store
 */
export function text(
  value: string,
  what: string,
  { least = 0, most = longestText }: { least?: number; most?: number } = {},
): Checked<string> {
  const range = least === 0 ? `Use up to ${most}` : `Use ${least} to ${most}`;
  if (value.length < least || value.length > most)
    throw invalid(`${what} has ${value.length} characters`, `${range}, without NUL.`);
  const problem = unstorable(value);
  if (problem !== undefined)
    throw invalid(`${what} ${problem}`, `${range} characters of well-formed Unicode, without NUL.`);
  return markChecked(value);
}

/** As `text`; absent or empty is null. @throws HatchetError INVALID_ARGUMENT */
export function optionalText(
  value: string | undefined,
  what: string,
  options: { most?: number } = {},
): Checked<string> | null {
  return value === undefined || value === '' ? null : text(value, what, options);
}

/** What is only shown is never a reason to refuse a call: NUL goes, and what is too long is cut. */
export function shownText(value: string, most = longestShown): Checked<string> {
  return markChecked(value.replaceAll('\0', '').slice(0, most));
}
