import type { BulkOutcome } from '../../admin/bulk-deed.ts';
import { ExitCode } from '../../exit-codes.ts';

/**
 * Prints what came of a deed to many runs, also of one that did not come to its end.
 * @throws why it did not
 */
export function tellOutcome({ done, refused, left, error }: BulkOutcome, print: () => void): ExitCode {
  if (error === undefined || done.length + refused.size > 0) print();
  if (error !== undefined) throw error;
  return left > 0 ? ExitCode.interrupted : ExitCode.done;
}

/** As rows of JSON. */
export function refusalsOf({ refused }: BulkOutcome): { id: string; reason: string }[] {
  return [...refused].map(([id, reason]) => ({ id, reason }));
}
