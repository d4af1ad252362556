import { HatchetError } from '../../base/errors.ts';

/** @param remedy what to send instead, one imperative sentence */
export function invalid(message: string, remedy: string): HatchetError {
  return new HatchetError('INVALID_ARGUMENT', message, { remedy });
}

/** A caller's text as an error shows it: quoted, and no longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
