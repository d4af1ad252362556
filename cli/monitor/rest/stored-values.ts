import { toldFailure } from '../../../sdk/failure/parse-failure.ts';

/** A failure as engines tell it; empty for none. */
export function failureOf(text: string | undefined): { message: string | null; stack: string | null } {
  if (text === undefined || text === '') return { message: null, stack: null };
  const { message, stack = null } = toldFailure(text);
  return { message, stack };
}

/** A cluster writes the year 1 for a time that it does not know. */
export function timeOf(text: string | undefined): string | null {
  if (text === undefined || text === '' || text.startsWith('0001-')) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** Since 1970: our engine tells milliseconds, a cluster microseconds. */
export function microseconds(time: string): number {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  return Math.floor(Date.parse(time) / 1000) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** `name-1795946199168` is the name with the time in milliseconds. */
export function nameOf(displayName: string): string {
  return displayName.replace(/-\d{10,}$/, '');
}
