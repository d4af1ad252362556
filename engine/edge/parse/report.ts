import { markChecked, type Checked } from '../../model/checked.ts';
import { reportedError, reportedOutput } from '../../model/payload.ts';
import { invalid } from './invalid.ts';

/** What a worker reports of a task that has ended well. It is never refused, or the task would hang: what cannot be stored fails the attempt. */
export function reportedOutcome(text: string): { ok: true; output: Checked<string> } | { ok: false; error: Checked<string> } {
  const reported = reportedOutput(text);
  return reported.ok ? { ok: true, output: markChecked(reported.output) } : { ok: false, error: markChecked(reported.error) };
}

/** A worker's failure, cleaned of what Postgres cannot hold and cut to a bound. */
export function reportedFailure(text: string): Checked<string> {
  return markChecked(reportedError(text));
}

/** A year: the longest that a retry may be told to wait. */
const longestDelayMs = 366 * 86_400_000;

/** How long a retry is to wait, where the task said so; below nothing is at once. @throws HatchetError INVALID_ARGUMENT past a year */
export function retryDelay(ms: bigint | undefined): Checked<number> | null {
  if (ms === undefined) return null;
  if (ms > BigInt(longestDelayMs)) throw invalid(`the retry is to wait ${ms} ms`, `Wait up to ${longestDelayMs} ms, a year.`);
  return markChecked(Math.max(0, Number(ms)));
}
