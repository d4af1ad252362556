import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-codes.ts';
import { ServerError } from '../output/server-error.ts';
import type { EventBatch, RunReader } from './run-reader.ts';

export interface FollowOptions {
  /** One run, from its beginning to its end. Without it, every run from now on, or from `after`. */
  runId?: string;
  after?: string;
  workflows?: readonly string[];
}

export interface FollowHooks {
  signal: AbortSignal;
  /** How long a lost engine may stay away. Milliseconds. */
  patienceMs: number;
  onLost?: (why: string) => void;
  onBack?: () => void;
}

const shortestWaitMs = 200;
const longestWaitMs = 3_000;

/** Is it that the engine is away, or about to be? */
function isPassing(error: unknown): boolean {
  return (
    (error instanceof ServerError && error.mayPass) ||
    (error instanceof CliError && error.exitCode === ExitCode.noEngine)
  );
}

/**
 * Events across disconnects, each exactly once: a new stream resumes after the last cursor that was handed on.
 * @param connect finds the engine anew, since it may come back at another port
 * @throws ServerError, CliError: at once when the first connection fails, later only after `patienceMs` without an engine
 */
export async function* followEvents(
  connect: () => RunReader,
  options: FollowOptions,
  hooks: FollowHooks,
): AsyncGenerator<EventBatch, void, undefined> {
  const { signal } = hooks;
  let after = options.after;
  let connectedBefore = false;
  let lostAtMs: number | undefined;
  let waitMs = shortestWaitMs;
  while (!signal.aborted) {
    let failure: unknown;
    try {
      const reader = connect();
      try {
        for await (const batch of reader.streamEvents(
          { ...options, ...(after === undefined ? {} : { after }) },
          signal,
        )) {
          if (lostAtMs !== undefined) hooks.onBack?.();
          connectedBefore = true;
          lostAtMs = undefined;
          waitMs = shortestWaitMs;
          if (batch.cursor !== '') after = batch.cursor;
          yield batch;
        }
      } finally {
        reader.close();
      }
      if (signal.aborted || options.runId !== undefined) return;
    } catch (error) {
      if (!connectedBefore || !isPassing(error)) throw error;
      failure = error;
    }
    if (lostAtMs === undefined) {
      lostAtMs = performance.now();
      hooks.onLost?.(failure instanceof Error ? failure.message : 'the engine ended the stream');
    } else if (performance.now() - lostAtMs > hooks.patienceMs) {
      throw failure ?? new CliError('the engine keeps ending the stream', { exitCode: ExitCode.noEngine });
    }
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(waitMs * 2, longestWaitMs);
  }
}
