import type { CauseRow } from '../monitor/run-reader.ts';

/** Why a task is not running, on one line. */
export function causeText(cause: CauseRow): string {
  const until = cause.until === null ? '' : `, until ${cause.until}`;
  const ids = cause.ids.length === 0 ? '' : ` [${cause.ids.join(', ')}]`;
  return `${cause.code}: ${cause.text}${until}${ids}`;
}
