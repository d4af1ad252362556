import { asFlag } from './parse-flags.ts';
import { readTimeOrAge } from './read-values.ts';

/** A time (ISO 8601), or how long ago (`1h`). */
export function timeOrAge(text: string): Date {
  return asFlag(() => readTimeOrAge(text));
}
