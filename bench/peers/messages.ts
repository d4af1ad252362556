/** What the measuring process asks of a client or a worker, and what it is told. */
import type { Load, Shape, Target } from './contestant.ts';

/** Jobs are numbered on through a measurement. */
export interface Range {
  from: number;
  count: number;
}

/** When a job makes room for the next one: once its handler is entered, or once its caller has the result. */
export type Until = 'entered' | 'result';

export type Request =
  | { do: 'prepare'; target: Target; shape: Shape }
  | { do: 'open'; target: Target; load: Load; shape: Shape }
  | { do: 'addMany'; jobs: Range }
  | { do: 'keepInFlight'; jobs: Range; inFlight: number; until: Until }
  /** Until the results, for so long. */
  | { do: 'keepFor'; from: number; inFlight: number; forMs: number; everyMs: number }
  | { do: 'addPaced'; jobs: Range; everyMs: number; until: Until }
  | { do: 'close' }
  /** `tell`: of each job that is entered, for a client that waits for it, only of the last one, or of none. */
  | { do: 'startWorker'; target: Target; load: Load; shape: Shape; jobs: Range; tell: 'each' | 'last' | 'none' }
  | { do: 'stopWorker' };

/** What became of the jobs whose results came within a span of time. */
export interface Span {
  results: number;
  p50: number;
  p99: number;
}

/** Times are those of the system's monotonic clock in milliseconds, the same in all processes. */
export interface Reply {
  beganAt: number;
  endedAt: number;
  /** Of each job of a range: of `addPaced` when it was added, of `stopWorker` when it was entered. */
  times?: number[];
  /** Of `addPaced` until the result: when each caller had it. */
  resultTimes?: number[];
  /** Of `keepFor`: in order. */
  spans?: Span[];
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
