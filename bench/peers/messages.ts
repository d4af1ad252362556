/** What the measuring process asks of a client or a worker, and what it is told. */
import type { Load, Target } from './contestant.ts';

/** Jobs are numbered on through a measurement. */
export interface Range {
  from: number;
  count: number;
}

export type Request =
  | { do: 'prepare'; target: Target }
  | { do: 'open'; target: Target; load: Load }
  | { do: 'addMany'; jobs: Range }
  | { do: 'keepInFlight'; jobs: Range; inFlight: number; until: 'entered' | 'result' }
  | { do: 'addPaced'; jobs: Range; everyMs: number }
  | { do: 'close' }
  /** `tell`: of each job that is entered, for a client that waits for it, or only of the last one. */
  | { do: 'startWorker'; target: Target; load: Load; jobs: Range; tell: 'each' | 'last' }
  | { do: 'stopWorker' };

/** Times are those of the system's monotonic clock in milliseconds, the same in all processes. */
export interface Reply {
  beganAt: number;
  endedAt: number;
  /** Of each job of a range: of `addPaced` when it was added, of `stopWorker` when it was entered. */
  times?: number[];
  /** Of `stopWorker`: how often a job was entered that had been entered before. */
  again?: number;
  /** Of `open`: whether it can wait for results. */
  canWait?: boolean;
}

export type ToProcess = { id: number; request: Request } | { entered: number[] };
export type FromProcess =
  | { ready: true }
  | { id: number; reply: Reply }
  | { id: number; failed: string }
  | { entered: number[] }
  | { lastEntered: true };

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
