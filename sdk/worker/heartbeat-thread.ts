import { Worker as Thread } from 'node:worker_threads';
import type { status } from '@grpc/grpc-js';
import { heartbeatSource } from './heartbeat-thread-source.ts';

/** What the thread is told of a worker. */
export interface Beat {
  /** Of the engine, as a URL. */
  readonly origin: string;
  readonly token: string;
  readonly tls: object;
  readonly intervalMs: number;
  readonly workerId: string;
}

export interface BeatEvents {
  answered(code: status, workerId: string): void;
  /** The thread has ended by itself, or there was none to be had. */
  onLost(): void;
}

/** The one thread that beats for all workers of this process: each of its own costs 9 MB, and 40 ms to start. */
class HeartbeatThread {
  readonly #beats = new Map<number, BeatEvents>();
  #thread: Thread | undefined;
  #last = 0;

  /** @returns says what has changed of the worker, and ends its beats */
  add(beat: Beat, events: BeatEvents): { change(workerId: string): void; end(): Promise<void> } {
    const id = ++this.#last;
    this.#beats.set(id, events);
    const thread = (this.#thread ??= this.#start());
    thread.postMessage({ id, beat });
    return {
      change: (workerId) => thread.postMessage({ id, workerId }),
      end: async () => {
        if (!this.#beats.delete(id)) return;
        if (this.#beats.size > 0) return thread.postMessage({ id });
        this.#thread = undefined;
        await thread.terminate();
      },
    };
  }

  #start(): Thread {
    const thread = new Thread(heartbeatSource, {
      eval: true,
      execArgv: [],
      name: 'hatchet-heartbeat',
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    });
    thread.unref();
    thread.on('message', ({ id, code, workerId }: { id: number; code: status; workerId: string }) =>
      this.#beats.get(id)?.answered(code, workerId),
    );
    thread.on('error', () => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      const lost = [...this.#beats.values()];
      this.#beats.clear();
      for (const events of lost) events.onLost();
    });
    return thread;
  }
}

export const heartbeatThread = new HeartbeatThread();
