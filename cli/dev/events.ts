import type { StageEvent } from '../../engine/index.ts';
import type { CliError } from '../cli-error.ts';
import type { EngineReady } from '../engine-process/spawn-engine.ts';
import type { EventRow, Overview } from '../monitor/run-reader.ts';
import type { CrashReason } from './trouble/crash-reason.ts';
import type { EngineTrouble } from './trouble/engine-trouble.ts';
import type { UnderWay } from './trouble/tasks-under-way.ts';

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
  /** What it printed last, at most 40 lines. */
  lastLines: readonly string[];
}

/** All that happens in a `hatchet dev`. Controllers emit these and know nothing of each other; dev-session.ts alone reacts. */
export type DevEvent =
  | { type: 'engine-stage'; stage: StageEvent }
  | { type: 'engine-ready'; engine: EngineReady; restarted: boolean }
  | { type: 'engine-failed'; error: CliError }
  /** It ended although nobody stopped it. */
  | { type: 'engine-exited'; code: number | null; signal: NodeJS.Signals | null; retryInMs: number }
  | { type: 'engine-trouble'; trouble: EngineTrouble }
  | { type: 'engine-recovered' }
  | { type: 'files-changed'; paths: readonly string[] }
  | { type: 'build-started' }
  | {
      type: 'build-done';
      manifest: string;
      changed: boolean;
      changedFiles: readonly string[];
      inputs: readonly string[];
      ms: number;
    }
  /** `isFirst`: no build has succeeded yet, so that no worker serves. */
  | { type: 'build-failed'; problems: readonly Problem[]; inputs: readonly string[]; isFirst: boolean }
  /** The worker seems to write these files itself, each time that it starts: it is not started again for them. */
  | { type: 'reload-held'; files: readonly string[] }
  | { type: 'types-checked'; problems: readonly Problem[] }
  | { type: 'worker-starting'; generation: number; pids: readonly number[]; serves: boolean }
  | { type: 'worker-ready'; generation: number; ms: number }
  /** `replaced`: a newer generation serves in its place. */
  | { type: 'worker-draining'; generation: number; replaced: boolean }
  | { type: 'worker-stopped'; generation: number }
  /** It ended although nobody stopped it. `retryInMs` is null when it is not tried again by itself. `serves`: an older generation goes on. */
  | {
      type: 'worker-exited';
      generation: number;
      exit: WorkerExit;
      retryInMs: number | null;
      isLatest: boolean;
      waitsForChange: boolean;
      reason: CrashReason | undefined;
      workerIds: readonly string[];
      serves: boolean;
    }
  /** It was on a worker that ended. */
  | { type: 'run-interrupted'; runId: string; workflow: string }
  | { type: 'worker-line'; generation: number; line: string }
  /** Its debugger listens on this port of the loopback interface. */
  | { type: 'worker-inspector'; port: number }
  /** Debuggers reach whichever worker is the newest at this address. */
  | { type: 'inspector-ready'; address: string }
  /** It has loaded a file of the project. */
  | { type: 'worker-loaded'; file: string }
  | { type: 'run-event'; event: EventRow }
  /** A durable run was begun by other code than that which resumed it, and failed on it. */
  | {
      type: 'durable-mismatch';
      runId: string;
      workflow: string;
      task: string;
      node: number;
      recorded: string;
      asked: string;
    }
  | { type: 'overview'; overview: Overview }
  | { type: 'feed-lost'; why: string }
  | { type: 'feed-back' }
  | { type: 'triggered'; workflow: string; runId: string }
  | { type: 'trigger-failed'; workflow: string; error: unknown }
  | {
      type: 'run-finished';
      runId: string;
      outcome: 'COMPLETED' | 'FAILED' | 'CANCELLED';
      output: unknown;
      failure: string | null;
    }
  | { type: 'reload-requested' }
  | { type: 'quit-requested' }
  | { type: 'interrupted'; signal: string }
  /** What the end waits for. */
  | { type: 'stopping'; underWay: readonly UnderWay[] };

export type Emit = (event: DevEvent) => void;
