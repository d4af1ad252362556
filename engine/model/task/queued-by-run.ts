import type { Transition } from './transition.ts';

/** The first row of the journal of a run of one task, mostly: `run.queued_seq` tells it, in place of a row of `history`. */
export const queuedTransitions: readonly Transition[] = ['RUN_CREATED', 'CREATED', 'QUEUED'];

/**
 * A run whose id is older than that when it is stored (a child's is dated like its parent's) has a row of `history` instead: who
 * reads the journal from a number on finds the others by their ids.
 */
export const latestQueuedMs = 60_000;
