import { msText } from '../../cli/output/time-text.ts';

/** How long ago, or until when, in words: `just now`, `4 m 10 s ago`, `in 2 h 5 m`. */
export function relativeText(iso: string | null, nowMs: number): string {
  if (iso === null) return '';
  const ms = nowMs - Date.parse(iso);
  if (Number.isNaN(ms)) return '';
  if (ms < 0) return ms > -1_000 ? 'now' : `in ${wholeText(-ms)}`;
  return ms < 2_000 ? 'just now' : `${wholeText(ms)} ago`;
}

/** Until something is due: `due` once it is. */
export function countdownText(iso: string | null, nowMs: number): string {
  if (iso === null) return '';
  const ms = Date.parse(iso) - nowMs;
  return ms <= 0 ? 'due' : `in ${wholeText(ms)}`;
}

/** Whole seconds: what changes once a second needs no tenths. */
function wholeText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : msText(ms);
}

/** The exact time, in the time zone of who looks. */
export function exactText(iso: string | null): string {
  if (iso === null) return '';
  const date = new Date(iso);
  return Number.isNaN(date.getTime())
    ? iso
    : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long', hour12: false });
}

/** To the millisecond: `12:00:00.123`. */
export function clockText(iso: string | null): string {
  if (iso === null) return '';
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '';
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
