import { isRunStatus, runStatuses, type RunStatusName } from '../status-name.ts';

/** Text that means nothing where it stands; the message says what would fit. */
export class RefusedValue extends Error {}

/** `failed,running`, whatever its case. @throws RefusedValue */
export function readStatuses(text: string): RunStatusName[] {
  return text.split(',').map((part) => {
    const name = part.trim().toUpperCase();
    if (!isRunStatus(name)) throw new RefusedValue(`Choose among ${runStatuses.join(', ')}.`);
    return name;
  });
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `90s`, `1h30m` or `500ms`, in milliseconds. @throws RefusedValue */
export function readDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== text)
    throw new RefusedValue('Give a duration such as 30s, 10m, 1h30m or 7d.');
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0);
}

/** A time (ISO 8601), or how long ago (`1h`). @throws RefusedValue */
export function readTimeOrAge(text: string): Date {
  if (/^\d+(?:\.\d+)?(?:ms|[smhd])/.test(text)) return new Date(Date.now() - readDuration(text));
  const date = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(date.getTime()))
    throw new RefusedValue('Give a time such as 2030-01-31T12:00:00Z, or an age such as 2h.');
  return date;
}
