import { RunStatus } from './status.ts';

/**
 * One letter per visible transition: `history.kinds` holds them in the order in which they happened.
 * Upper case is the task's, lower case its run's. Letters are stored: never reuse one.
 * The names are those of the REST contract's V1TaskEventType.
 */
export const journalNames = {
  C: 'CREATED',
  Q: 'QUEUED',
  A: 'ASSIGNED',
  T: 'SENT_TO_WORKER',
  S: 'STARTED',
  K: 'ACKNOWLEDGED',
  F: 'FINISHED',
  X: 'FAILED',
  R: 'RETRYING',
  N: 'CANCELLED',
  O: 'TIMED_OUT',
  H: 'SCHEDULING_TIMED_OUT',
  G: 'REASSIGNED',
  W: 'REQUEUED_NO_WORKER',
  L: 'SLOT_RELEASED',
  E: 'TIMEOUT_REFRESHED',
  P: 'SKIPPED',
  D: 'COULD_NOT_SEND_TO_WORKER',
  M: 'REQUEUED_RATE_LIMIT',
  U: 'RETRIED_BY_USER',
  B: 'WAITING_FOR_BATCH',
  V: 'BATCH_FLUSHED',
  I: 'DURABLE_EVICTED',
  Y: 'DURABLE_RESTORING',
  r: 'RUN_CREATED',
  c: 'RUN_FINISHED',
  f: 'RUN_FINISHED',
  n: 'RUN_FINISHED',
} as const;

export type JournalKind = keyof typeof journalNames;

export function isJournalKind(letter: string): letter is JournalKind {
  return Object.hasOwn(journalNames, letter);
}

export function isRunKind(kind: JournalKind): boolean {
  return kind === 'r' || kind === 'c' || kind === 'f' || kind === 'n';
}

/** The status that a transition leaves its task (or, for a run's kind, its run) in; `undefined` where it changes none. */
export function statusAfter(kind: JournalKind): RunStatus | undefined {
  switch (kind) {
    case 'r':
    case 'C':
    case 'Q':
    case 'R':
    case 'G':
    case 'W':
    case 'D':
    case 'M':
    case 'U':
    case 'B':
    case 'V':
    case 'Y':
      return RunStatus.Queued;
    case 'I':
      return RunStatus.Evicted;
    case 'A':
    case 'T':
    case 'S':
    case 'K':
    case 'L':
    case 'E':
      return RunStatus.Running;
    case 'F':
    case 'P':
    case 'c':
      return RunStatus.Completed;
    case 'X':
    case 'O':
    case 'f':
      return RunStatus.Failed;
    case 'N':
    case 'H':
    case 'n':
      return RunStatus.Cancelled;
  }
}

/** Replays a task's journal. FAILED or TIMED_OUT followed by RETRYING is not the end. */
export function replayJournal(kinds: Iterable<string>): RunStatus | undefined {
  let status: RunStatus | undefined;
  for (const row of kinds) {
    for (const letter of row) {
      if (!isJournalKind(letter) || isRunKind(letter)) continue;
      status = statusAfter(letter) ?? status;
    }
  }
  return status;
}
