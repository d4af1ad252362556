import type { EventRow, LogRow } from '../monitor/run-reader.ts';
import { plainText } from './plain-text.ts';

/** Local time of day with milliseconds. */
export function timeOfDay(iso: string | null): string {
  if (iso === null) return '--:--:--.---';
  const date = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** One transition on one line. */
export function eventLine(event: EventRow, options: { withRun?: boolean } = {}): string {
  const what = [
    event.task === '' ? event.workflow : event.task,
    event.attempt > 0 ? `attempt ${event.attempt + 1}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
  const parts = [timeOfDay(event.time), event.type.padEnd(14), what, event.message];
  if (options.withRun === true) parts.splice(1, 0, event.runId, event.workflow);
  return plainText(parts.filter((part) => part !== '').join('  '));
}

export function logLineText(line: LogRow): string {
  return plainText(`${timeOfDay(line.time)}  ${line.level.padEnd(5)}  ${line.task}  ${line.message}`);
}
