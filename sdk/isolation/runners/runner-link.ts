import type { HatchetErrorCode } from '../../errors.ts';

/** How a runner came to its end. */
export interface RunnerEnd {
  readonly code: HatchetErrorCode;
  /** In words, as what it did: `ended with exit code 1`. */
  readonly how: string;
}

/** A runner as its worker has it: a thread or a process. */
export interface RunnerLink {
  /** Once it is gone, for whatever reason. Never rejects. */
  readonly gone: Promise<RunnerEnd>;
  send(text: string): void;
  /** The one who hears what it says. */
  hear(listener: ((text: string) => void) | undefined): void;
  /** Takes nothing of what it says, until told otherwise. Of a thread it has no effect. */
  setPaused(paused: boolean): void;
  /** Time that it has been busy so far, in milliseconds, and its memory; `undefined` where that cannot be told (any more). */
  usage(): Promise<RunnerUsage | undefined>;
  /** At once, whatever it does. Resolves once it is gone. @param end what is to be said of it */
  kill(end?: RunnerEnd): Promise<void>;
}

export interface RunnerUsage {
  readonly busyMs: number;
  /** Bytes; `undefined` of a thread, and of a process that is ending. */
  readonly memory: number | undefined;
}
