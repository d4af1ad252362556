import type { StageEvent } from '../../engine/index.ts';
import type { CliError } from '../cli-error.ts';
import type { EngineReady } from '../engine-process/spawn-engine.ts';
import type { EventRow, Overview } from '../monitor/run-reader.ts';

/** Where source and message of a build or type error are. */
export interface Problem {
  /** Relative to the project. */
  file: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  message: string;
}

export interface WorkerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it printed last, at most 20 lines. */
  lastLines: readonly string[];
}

/** All that happens in a `hatchet dev`. Controllers emit these and know nothing of each other; session.ts alone reacts. */
export type DevEvent =
  | { type: 'engine-stage'; stage: StageEvent }
  | { type: 'engine-ready'; engine: EngineReady; restarted: boolean }
  | { type: 'engine-failed'; error: CliError }
  /** It ended although nobody stopped it. */
  | { type: 'engine-exited'; code: number | null; signal: NodeJS.Signals | null; retryInMs: number }
  | { type: 'files-changed'; paths: readonly string[] }
  | { type: 'build-started' }
  | { type: 'build-done'; manifest: string; changed: boolean; inputs: readonly string[]; ms: number }
  /** `isFirst`: no build has succeeded yet, so that no worker serves. */
  | { type: 'build-failed'; problems: readonly Problem[]; inputs: readonly string[]; isFirst: boolean }
  | { type: 'types-checked'; problems: readonly Problem[] }
  | { type: 'worker-starting'; generation: number; pids: readonly number[] }
  | { type: 'worker-ready'; generation: number; ms: number }
  /** `replaced`: a newer generation serves in its place. */
  | { type: 'worker-draining'; generation: number; replaced: boolean }
  | { type: 'worker-stopped'; generation: number }
  /** It ended although nobody stopped it. `retryInMs` is null when it waits for a change. */
  | { type: 'worker-exited'; generation: number; exit: WorkerExit; retryInMs: number | null; isLatest: boolean }
  | { type: 'worker-line'; generation: number; line: string }
  /** It has loaded a file of the project. */
  | { type: 'worker-loaded'; file: string }
  | { type: 'run-event'; event: EventRow }
  /** A durable run was begun by other code than that which resumed it, and failed on it. */
  | { type: 'durable-mismatch'; runId: string; workflow: string; task: string; node: number; recorded: string; asked: string }
  | { type: 'overview'; overview: Overview }
  | { type: 'feed-lost'; why: string }
  | { type: 'feed-back' }
  | { type: 'triggered'; workflow: string; runId: string }
  | { type: 'trigger-failed'; workflow: string; error: unknown }
  | { type: 'run-finished'; runId: string; outcome: 'COMPLETED' | 'FAILED' | 'CANCELLED'; output: unknown; failure: string | null }
  | { type: 'reload-requested' }
  | { type: 'quit-requested' }
  | { type: 'interrupted'; signal: string };

export type Emit = (event: DevEvent) => void;
