import { followEvents } from '../../monitor/follow-events.ts';
import { runFailure, runOutput } from '../../monitor/run-output.ts';
import type { RunReader } from '../../monitor/run-reader.ts';
import type { Emit } from '../events.ts';

/** What happens in the engine, as events: every run's transitions, resumed by cursor when the engine was away. */
export class RunFeed {
  readonly #emit: Emit;
  readonly #connect: () => RunReader;
  readonly #abort = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(connect: () => RunReader, emit: Emit) {
    this.#connect = connect;
    this.#emit = emit;
  }

  start(): void {
    this.#running = this.#follow().catch((error: unknown) =>
      this.#emit({ type: 'feed-lost', why: error instanceof Error ? error.message : String(error) }),
    );
  }

  async #follow(): Promise<void> {
    const hooks = {
      signal: this.#abort.signal,
      patienceMs: Number.POSITIVE_INFINITY,
      onLost: (why: string) => this.#emit({ type: 'feed-lost', why }),
      onBack: () => this.#emit({ type: 'feed-back' }),
    };
    for await (const { events } of followEvents(this.#connect, {}, hooks))
      for (const event of events) this.#emit({ type: 'run-event', event });
  }

  /** Reads how a run ended, for `--trigger`. */
  async outcome(runId: string): Promise<void> {
    const reader = this.#connect();
    try {
      const detail = await reader.getRun(runId);
      const { status } = detail.run;
      if (status !== 'COMPLETED' && status !== 'FAILED' && status !== 'CANCELLED') return;
      this.#emit({
        type: 'run-finished',
        runId,
        outcome: status,
        output: status === 'COMPLETED' ? runOutput(detail) : null,
        failure: status === 'COMPLETED' ? null : runFailure(detail),
      });
    } finally {
      reader.close();
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }
}
