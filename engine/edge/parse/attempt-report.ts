import { markChecked, type Checked } from '../../model/checked.ts';
import { HatchetError } from '../../base/errors.ts';
import { isDeeperThan, maxJsonDepth } from '../../model/payload/json-depth.ts';
import type { PayloadReader } from '../../payloads/payload-reader.ts';
import { invalid } from './invalid.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export type ReportedOutcome = { ok: true; output: Checked<string> } | { ok: false; error: Checked<string> };

/**
 * What a worker reports of a task that has ended well; at once where the output is short. It is never refused, or the task would
 * hang: what cannot be stored fails the attempt.
 */
export function reportedOutcome(
  payloads: PayloadReader,
  tenantId: TenantId,
  text: string,
): ReportedOutcome | Promise<ReportedOutcome> {
  if (text === '') return { ok: true, output: markChecked('null') };
  const output = markChecked(text);
  try {
    const checking = payloads.check(tenantId, text, "the task's output");
    return checking === undefined ? { ok: true, output } : checking.then(() => ({ ok: true, output }), unstorable);
  } catch (error) {
    return unstorable(error);
  }
}

/** @throws what says nothing of the output */
function unstorable(error: unknown): ReportedOutcome {
  if (!(error instanceof HatchetError) || error.code === 'STOPPING' || error.code === 'BUSY') throw error;
  return { ok: false, error: markChecked(JSON.stringify({ message: error.message })) };
}

const longestError = 256 * 1024;

/** A worker's failure, cleaned of what Postgres cannot hold and cut to a bound. One that is nested too deep becomes the message itself; an empty one would be told as that of a cancelled task. */
function cleaned(text: string): string {
  const clean = text.replaceAll('\0', '').replaceAll('\\u0000', '');
  if (clean === '') return JSON.stringify({ message: 'the task failed without a message' });
  if (clean.length > longestError) return JSON.stringify({ message: `${clean.slice(0, longestError)}… (cut)` });
  return isDeeperThan(clean, maxJsonDepth) ? JSON.stringify({ message: clean }) : clean;
}

/** A worker's failure as it is stored. */
export function reportedFailure(text: string): Checked<string> {
  return markChecked(cleaned(text));
}

/** A year: the longest that a retry may be told to wait. */
const longestDelayMs = 366 * 86_400_000;

/** How long a retry is to wait, where the task said so; below nothing is at once. @throws HatchetError INVALID_ARGUMENT past a year */
export function retryDelay(ms: bigint | undefined): Checked<number> | null {
  if (ms === undefined) return null;
  if (ms > BigInt(longestDelayMs))
    throw invalid(`the retry is to wait ${ms} ms`, `Wait up to ${longestDelayMs} ms, a year.`);
  return markChecked(Math.max(0, Number(ms)));
}
