import { status as grpcStatus } from '@grpc/grpc-js';
import type { RunReader, RunRow } from '../monitor/run-reader.ts';
import { isTerminal } from '../monitor/status-name.ts';
import { ServerError } from '../output/server-error.ts';
import { inPieces } from './bulk-runs.ts';
import type { RunAdmin } from './run-admin.ts';

export type BulkDeed = 'cancel' | 'replay';

/** What is known of a run that something is to be done to. A task count of 0 is not known. */
export type BulkRun = Pick<RunRow, 'runId' | 'workflow' | 'status' | 'taskCount'>;

export interface BulkOutcome {
  /** Runs that were cancelled, or that run again. */
  done: number;
  /** Runs by the reason why nothing was done to them. */
  refused: ReadonlyMap<string, number>;
  /** Runs that were not come to: it was stopped, or failed. */
  left: number;
  /** Why it did not go on. */
  error: string | undefined;
}

interface BulkParts {
  admin: Pick<RunAdmin, 'cancel' | 'replay'>;
  reader: Pick<RunReader, 'getRun'>;
  /** Stops between two pieces. */
  signal: AbortSignal;
  onProgress: (handled: number) => void;
}

/** Runs that are looked at together. */
const lanes = 8;

/** Cancels or replays many runs. The engine says to which it could be done; why not to the others is looked up. */
export async function bulkDeed(deed: BulkDeed, runs: readonly BulkRun[], { admin, reader, signal, onProgress }: BulkParts): Promise<BulkOutcome> {
  const refused = new Map<string, number>();
  let done = 0;
  let handled = 0;
  const act = async (piece: readonly BulkRun[]): Promise<void> => {
    const ids = piece.map(({ runId }) => runId);
    const reasons = deed === 'cancel' ? await notCancelled(reader, piece, await admin.cancel(ids)) : await notReplayed(reader, piece, await admin.replay(ids));
    for (const reason of reasons) refused.set(reason, (refused.get(reason) ?? 0) + 1);
    done += piece.length - reasons.length;
  };
  const onPiece = (far: number): void => {
    handled = far;
    onProgress(far);
  };
  try {
    await inPieces(inOrder(deed, runs), { signal, act, onPiece });
    return { done, refused, left: runs.length - handled, error: undefined };
  } catch (error) {
    return { done, refused, left: runs.length - handled, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Those to which it can be done, as far as is known, come first: a piece in which it was done to all needs no second look. */
function inOrder(deed: BulkDeed, runs: readonly BulkRun[]): readonly BulkRun[] {
  const fits = ({ status }: BulkRun): boolean => isTerminal(status) === (deed === 'replay');
  return [...runs.filter(fits), ...runs.filter((run) => !fits(run))];
}

/** @returns a reason for each that was not cancelled */
async function notCancelled(reader: Pick<RunReader, 'getRun'>, piece: readonly BulkRun[], cancelled: readonly string[]): Promise<string[]> {
  const known = new Set(cancelled);
  return eachOf(
    piece.filter(({ runId }) => !known.has(runId)),
    async ({ runId, status }) => (isTerminal(status) ? `${status} before` : lookUp(reader, runId, ({ run }) => (isTerminal(run.status) ? `${run.status} before` : `${run.status} again`))),
  );
}

/** The engine tells tasks that run again, and a run of several is none of them. @returns a reason for each run of which no task runs again */
async function notReplayed(reader: Pick<RunReader, 'getRun'>, piece: readonly BulkRun[], replayed: readonly string[]): Promise<string[]> {
  // No run gives more than all its tasks.
  if (piece.every(({ taskCount }) => taskCount > 0) && piece.reduce((sum, { taskCount }) => sum + taskCount, 0) === replayed.length) return [];
  const known = new Set(replayed);
  const reasons = await eachOf(
    piece.filter(({ runId }) => !known.has(runId)),
    async ({ runId, status, taskCount }) => (taskCount === 1 && !isTerminal(status) ? notEnded : lookUp(reader, runId, ({ tasks }) => (tasks.some(({ taskId }) => known.has(taskId)) ? undefined : notEnded))),
  );
  return reasons.filter((reason) => reason !== undefined);
}

const notEnded = 'not ended';

async function lookUp<T>(reader: Pick<RunReader, 'getRun'>, runId: string, told: (detail: Awaited<ReturnType<RunReader['getRun']>>) => T): Promise<T | string> {
  try {
    return told(await reader.getRun(runId));
  } catch (error) {
    if (error instanceof ServerError && error.status === grpcStatus.NOT_FOUND) return 'not there any more';
    throw error;
  }
}

async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.values();
  const lane = async (): Promise<void> => {
    for (const item of rest) results.push(await work(item));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
