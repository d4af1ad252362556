import { backOffMs } from '../model/back-off.ts';
import { openStreams, tryNow } from './connection-state.ts';
import type { StreamReader } from './engine-calls.ts';
import { pageVisible, whileVisible } from './page-visible.ts';
import { errorText, Refusal, unreachable } from './refusal.ts';

export interface Following<T> {
  /** Opens the stream anew; where it can resume, after the last message that was handed on. */
  open: (reader: StreamReader) => AsyncIterable<T>;
  onMessage: (message: T) => void;
  /** It ends by itself, as the events of a run do; else an end is a cut. */
  mayEnd: boolean;
  signal: AbortSignal;
}

/**
 * Reads a stream, and opens it again after cuts, until the signal or its end.
 * @throws Refusal where trying again would not help, as for a run that there is not
 */
export async function keepFollowing<T>({ open, onMessage, mayEnd, signal }: Following<T>): Promise<void> {
  const stream = {};
  let failures = 0;
  try {
    openStreams.set(stream, { state: 'connecting' });
    while (!signal.aborted) {
      if (document.hidden) {
        openStreams.set(stream, { state: 'paused' });
        await pageVisible(signal);
        continue;
      }
      const visible = whileVisible(signal);
      let failure: unknown;
      try {
        const onOpen = (): void => {
          failures = 0;
          openStreams.set(stream, { state: 'live' });
        };
        for await (const message of open({ signal: visible.signal, onOpen })) {
          if (visible.signal.aborted) break;
          onMessage(message);
        }
        if (!visible.signal.aborted && mayEnd) return;
        failure = unreachable(new Error('the engine ended the stream'));
      } catch (error) {
        failure = error;
      } finally {
        visible.stop();
      }
      if (visible.signal.aborted) continue;
      if (!(failure instanceof Refusal) || !failure.mayPass) throw failure;
      failures++;
      const waitMs = backOffMs(failures);
      openStreams.set(stream, { state: 'lost', reason: errorText(failure), nextTryAtMs: Date.now() + waitMs });
      await pause(waitMs, signal);
    }
  } finally {
    openStreams.forget(stream);
  }
}

/** Ends early at the signal, or where somebody asks to try now. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      tryNow.removeEventListener('try', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    tryNow.addEventListener('try', done);
  });
}
