import type { Transition } from './transition.ts';

/**
 * How `history.kinds` stores a task's transitions: one letter each, in the order in which they happened. Upper case is the
 * task's, lower case its run's. Never reuse one.
 */
const letters: Readonly<Record<Transition, string>> = {
  CREATED: 'C',
  QUEUED: 'Q',
  ASSIGNED: 'A',
  SENT_TO_WORKER: 'T',
  STARTED: 'S',
  ACKNOWLEDGED: 'K',
  FINISHED: 'F',
  FAILED: 'X',
  RETRYING: 'R',
  CANCELLED: 'N',
  TIMED_OUT: 'O',
  SCHEDULING_TIMED_OUT: 'H',
  REASSIGNED: 'G',
  REQUEUED_NO_WORKER: 'W',
  SLOT_RELEASED: 'L',
  TIMEOUT_REFRESHED: 'E',
  SKIPPED: 'P',
  COULD_NOT_SEND_TO_WORKER: 'D',
  REQUEUED_RATE_LIMIT: 'M',
  RETRIED_BY_USER: 'U',
  WAITING_FOR_BATCH: 'B',
  BATCH_FLUSHED: 'V',
  DURABLE_EVICTED: 'I',
  DURABLE_RESTORING: 'Y',
  RUN_CREATED: 'r',
  RUN_COMPLETED: 'c',
  RUN_FAILED: 'f',
  RUN_CANCELLED: 'n',
};

function isTransition(name: string): name is Transition {
  return Object.hasOwn(letters, name);
}

const transitions: ReadonlyMap<string, Transition> = new Map(
  Object.keys(letters)
    .filter(isTransition)
    .map((transition) => [letters[transition], transition]),
);

export function journalLetters(row: readonly Transition[]): string {
  let text = '';
  for (const transition of row) text += letters[transition];
  return text;
}

/** Letters that a newer version wrote are left out. */
export function readJournalLetters(text: string): Transition[] {
  const row: Transition[] = [];
  for (const letter of text) {
    const transition = transitions.get(letter);
    if (transition !== undefined) row.push(transition);
  }
  return row;
}
