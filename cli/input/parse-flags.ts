import { InvalidArgumentError } from 'commander';
import type { RunStatusName } from '../status-name.ts';
import { readDuration, readStatuses, RefusedValue } from './read-values.ts';

/** Parsers for commander's options: each takes a flag's text and either returns its meaning or says what would fit. */

/** A whole number within bounds, ends included. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** One of some names, whatever its case. */
export function choice<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const found = values.find((value) => value.toLowerCase() === text.toLowerCase());
    if (found === undefined) throw new InvalidArgumentError(`Choose among ${values.join(', ')}.`);
    return found;
  };
}

export const port = wholeNumber(0, 65_535);

/** `k=v`, again and again. */
export function pair(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Give it as key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** `a,b` or repeated. */
export function names(text: string, before: readonly string[] | undefined): string[] {
  const more = text.split(',').map((name) => name.trim());
  if (more.some((name) => name === '')) throw new InvalidArgumentError('A name is empty.');
  return [...(before ?? []), ...more];
}

export function statuses(text: string, before: readonly RunStatusName[] | undefined): RunStatusName[] {
  return [...(before ?? []), ...asFlag(() => readStatuses(text))];
}

/** A duration such as `90s`, `1h30m` or `500ms`, in milliseconds. */
export function durationMs(text: string): number {
  return asFlag(() => readDuration(text));
}

/** What a flag's text means; a refusal is one that commander prints with the flag. */
export function asFlag<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RefusedValue)) throw error;
    throw new InvalidArgumentError(error.message);
  }
}

/** Bytes: `512`, `4KiB`, `1MiB`. */
export function byteSize(text: string): number {
  const match = /^(\d+)(?:(k|m)(?:i?b)?|b)?$/i.exec(text);
  if (match === null) throw new InvalidArgumentError('Give a size such as 512, 4KiB or 1MiB.');
  const unit = match[2]?.toLowerCase();
  return Number(match[1]) * (unit === 'k' ? 1024 : unit === 'm' ? 1_048_576 : 1);
}
