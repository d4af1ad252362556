import { RunStatus } from './status.ts';

/** Where an unfinished task is. The numbers are stored in `live`. */
export const LiveState = {
  /** Waits for its parents. */
  Gated: 0,
  /** In its action's queue. */
  Ready: 1,
  /** Waits for a retry's back-off. */
  Delayed: 2,
  /** Assigned to a worker. */
  Running: 3,
  /** The engine ended the attempt; the worker has still to be told. */
  Cancelling: 4,
  /** Has its places, and has asked for units in vain. Those behind it in its line, who have not asked, are ready. */
  RateLimited: 5,
  /** Gathered with others of its key, until their batch goes to a worker. */
  Batching: 6,
  /** A durable task that left its worker while it waits. */
  Evicted: 7,
} as const;
export type LiveState = (typeof LiveState)[keyof typeof LiveState];

export const liveStateNames: Record<LiveState, string> = {
  0: 'GATED',
  1: 'READY',
  2: 'DELAYED',
  3: 'RUNNING',
  4: 'CANCELLING',
  5: 'RATE_LIMITED',
  6: 'BATCHING',
  7: 'EVICTED',
};

export function isLiveState(value: number): value is LiveState {
  return Object.hasOwn(liveStateNames, value);
}

/** What its due time is a time of: of the wall, for sleeps and back-offs; else a deadline, which counts the time in which the engine could do its part. */
export function isWallTime(state: number): boolean {
  return state === LiveState.Delayed || state === LiveState.Gated || state === LiveState.Evicted;
}

/** Bits stored in `live.flags`. */
export const LiveFlag = {
  /** The worker reported STARTED for this attempt. */
  Started: 1,
  /** The attempt gave its slot back while it runs on. */
  SlotReleased: 2,
  /** Cancelling: the result is written, nothing follows once the worker was told. Without it a retry follows. */
  Ended: 4,
  /** Cancelling: what follows is a reassignment, which spends no user retry. */
  Reassign: 8,
  /** Has a place in each group of its own request, and its run in each of its: it is in the action's queue, or past it. */
  Admitted: 16,
  /** Its run has a place in each group of the workflow. */
  RunAdmitted: 32,
  /** Queued again after an eviction: the attempt goes on, so it asks no units again and no schedule timeout runs. */
  Restored: 64,
  /** The attempt asked for something else than its log says: whatever it reports, it is not retried. */
  NoRetry: 128,
  /** Cancelling: its worker did not answer, and what follows costs nothing. */
  Unanswered: 512,
  /** It had not started when its execution timeout came, and was given more time to. */
  Prolonged: 1024,
  /** Cancelling: its worker was lost while its stream was open, and what follows is an attempt elsewhere. */
  WorkerLost: 4096,
  /** Its run's end satisfies a node of a durable task. */
  DurableChild: 256,
  /** The log of this durable task has grown since a worker last died under it. */
  Progressed: 2048,
} as const;

/** Those that outlive an attempt. */
export const lastingFlags = LiveFlag.Admitted | LiveFlag.RunAdmitted | LiveFlag.DurableChild | LiveFlag.Progressed;

export function liveTaskStatus(state: LiveState): RunStatus {
  if (state === LiveState.Evicted) return RunStatus.Evicted;
  return state === LiveState.Running || state === LiveState.Cancelling ? RunStatus.Running : RunStatus.Queued;
}

/** The moves that the planner may make; `null` is the row's end. */
const moves: Record<LiveState, readonly (LiveState | null)[]> = {
  [LiveState.Gated]: [LiveState.Ready, null],
  [LiveState.Ready]: [LiveState.Running, LiveState.RateLimited, LiveState.Batching, null],
  [LiveState.Delayed]: [LiveState.Ready, null],
  [LiveState.Running]: [LiveState.Ready, LiveState.Delayed, LiveState.Cancelling, LiveState.Evicted, null],
  [LiveState.Cancelling]: [LiveState.Ready, LiveState.Delayed, null],
  [LiveState.RateLimited]: [LiveState.Ready, LiveState.Running, null],
  [LiveState.Batching]: [LiveState.Running, LiveState.RateLimited, null],
  [LiveState.Evicted]: [LiveState.Ready, null],
};

export function mayMove(from: LiveState, to: LiveState | null): boolean {
  return moves[from].includes(to);
}
