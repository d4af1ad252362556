import { status as grpcStatus } from '@grpc/grpc-js';
import type { RunReader, RunRow } from '../monitor/run-reader.ts';
import { isTerminal } from '../status-name.ts';
import { ServerError } from '../output/server-error.ts';
import { inPieces } from './bulk-runs.ts';
import type { RunAdmin } from './run-admin.ts';

export type BulkDeed = 'cancel' | 'replay';

/** What is known of a run that something is to be done to, or of a task that is to run again. A task count of 0 is not known. */
export type BulkItem = Pick<RunRow, 'runId' | 'status' | 'taskCount'>;

export type BulkRun = BulkItem & Pick<RunRow, 'workflow'>;

export interface BulkOutcome {
  /** Those that were cancelled, or that run again. */
  done: readonly string[];
  /** Of each of the others that it came to, why nothing was done to it. */
  refused: ReadonlyMap<string, string>;
  /** Tasks that run again. */
  tasks: readonly string[];
  /** Runs that were not come to: it was stopped, or failed. */
  left: number;
  /** Why it did not go on. */
  error: Error | undefined;
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
export async function bulkDeed(
  deed: BulkDeed,
  runs: readonly BulkItem[],
  { admin, reader, signal, onProgress }: BulkParts,
): Promise<BulkOutcome> {
  const refused = new Map<string, string>();
  const done: string[] = [];
  const tasks: string[] = [];
  let handled = 0;
  const act = async (piece: readonly BulkItem[]): Promise<void> => {
    const ids = piece.map(({ runId }) => runId);
    const told = deed === 'cancel' ? await admin.cancel(ids) : await admin.replay(ids);
    if (deed === 'replay') tasks.push(...told);
    const reasons =
      deed === 'cancel' ? await notCancelled(reader, piece, told) : await notReplayed(reader, piece, told);
    for (const [id, reason] of reasons) refused.set(id, reason);
    done.push(...ids.filter((id) => !reasons.has(id)));
  };
  const onPiece = (far: number): void => {
    handled = far;
    onProgress(far);
  };
  try {
    await inPieces(inOrder(deed, runs), { signal, act, onPiece });
    return { done, refused, tasks, left: runs.length - handled, error: undefined };
  } catch (error) {
    return {
      done,
      refused,
      tasks,
      left: runs.length - handled,
      error: error instanceof Error ? error : new Error(String(error)),
    };
  }
}

/** What is to be said beside how many it was done to. */
export function outcomeTexts({ refused, left, error }: Pick<BulkOutcome, 'refused' | 'left' | 'error'>): string[] {
  const counts = new Map<string, number>();
  for (const reason of refused.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `${count.toLocaleString('en-US')} ${reason}`).join(', ');
  return [
    ...(refused.size === 0 ? [] : [`Refused ${refused.size.toLocaleString('en-US')}: ${reasons}.`]),
    ...(left === 0
      ? []
      : [`Not come to ${left.toLocaleString('en-US')}: ${error === undefined ? 'it was stopped' : error.message}.`]),
  ];
}

/** Those to which it can be done, as far as is known, come first: a piece in which it was done to all needs no second look. */
function inOrder(deed: BulkDeed, runs: readonly BulkItem[]): readonly BulkItem[] {
  const fits = ({ status }: BulkItem): boolean => isTerminal(status) === (deed === 'replay');
  return [...runs.filter(fits), ...runs.filter((run) => !fits(run))];
}

/** @returns a reason for each that was not cancelled */
async function notCancelled(
  reader: Pick<RunReader, 'getRun'>,
  piece: readonly BulkItem[],
  cancelled: readonly string[],
): Promise<Map<string, string>> {
  const known = new Set(cancelled);
  // A Hatchet cluster tells ids of runs that had ended too: of those it counts whether they are still what they were.
  return reasonsOf(
    piece.filter(({ runId, status }) => isTerminal(status) || !known.has(runId)),
    async ({ runId, status }) => {
      if (isTerminal(status) && !known.has(runId)) return `${status} before`;
      return lookUp(reader, runId, ({ run }) =>
        known.has(runId) && run.status !== status
          ? undefined
          : isTerminal(run.status)
            ? `${run.status} before`
            : `${run.status} again`,
      );
    },
  );
}

/** The engine tells tasks that run again, and a run of several is none of them. @returns a reason for each run of which no task runs again, and for each task that does not */
async function notReplayed(
  reader: Pick<RunReader, 'getRun'>,
  piece: readonly BulkItem[],
  replayed: readonly string[],
): Promise<Map<string, string>> {
  // No run gives more than all its tasks.
  if (
    piece.every(({ taskCount }) => taskCount > 0) &&
    piece.reduce((sum, { taskCount }) => sum + taskCount, 0) === replayed.length
  )
    return new Map();
  const known = new Set(replayed);
  return reasonsOf(
    piece.filter(({ runId }) => !known.has(runId)),
    async ({ runId, status, taskCount }) =>
      taskCount === 1 && !isTerminal(status)
        ? notEnded
        : lookUp(reader, runId, ({ run, tasks }) =>
            run.runId === runId && tasks.some(({ taskId }) => known.has(taskId)) ? undefined : notEnded,
          ),
  );
}

const notEnded = 'not ended';

async function lookUp<T>(
  reader: Pick<RunReader, 'getRun'>,
  runId: string,
  told: (detail: Awaited<ReturnType<RunReader['getRun']>>) => T,
): Promise<T | string> {
  try {
    return told(await reader.getRun(runId));
  } catch (error) {
    if (error instanceof ServerError && error.status === grpcStatus.NOT_FOUND) return 'not there any more';
    throw error;
  }
}

async function reasonsOf(
  runs: readonly BulkItem[],
  reasonOf: (run: BulkItem) => Promise<string | undefined>,
): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  const rest = runs.values();
  const lane = async (): Promise<void> => {
    for (const run of rest) {
      const reason = await reasonOf(run);
      if (reason !== undefined) reasons.set(run.runId, reason);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return reasons;
}
