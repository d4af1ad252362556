import { status } from '@grpc/grpc-js';
import type { GetRunDetailsResponse } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { statusOf } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary } from '../connection/repeat-calls.ts';

/** Seconds after which a run of which nothing was heard is asked for. */
const firstAskTicks = 3;

/** A run that is there is asked for again after so long: news of its end may have been lost with whatever carried it. */
const againTicks = 120;

/** A run that was just started may not be found for a moment. Seconds until it is asked for again, each time that it was not found. */
const missTicks = [1, 2, 4];

/** Runs asked for at once. */
const mostAsking = 4;

interface SilentRun {
  ticks: number;
  misses: number;
}

export interface SilentRunEvents {
  /** There is no such run. */
  onMissing(runId: string): void;
  /** It has ended. */
  onEnded(runId: string, details: GetRunDetailsResponse): void;
}

/** Runs that somebody waits for, and that may not exist: no stream says so of one. Those that end soon are never asked for. */
export class SilentRuns {
  readonly #connection: Connection;
  readonly #events: SilentRunEvents;
  readonly #runs = new Map<string, SilentRun>();
  readonly #due = new Set<string>();
  #asking = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: Connection, events: SilentRunEvents) {
    this.#connection = connection;
    this.#events = events;
  }

  add(runId: string): void {
    if (this.#runs.has(runId)) return;
    this.#runs.set(runId, { ticks: firstAskTicks, misses: 0 });
    // The stream keeps the process alive, where anything is to.
    this.#timer ??= setInterval(() => this.#tick(), 1_000).unref();
  }

  remove(runId: string): void {
    this.#runs.delete(runId);
    this.#due.delete(runId);
    if (this.#runs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    for (const [runId, run] of this.#runs) if (--run.ticks === 0) this.#due.add(runId);
    this.#askNext();
  }

  #askNext(): void {
    for (const runId of this.#due) {
      if (this.#asking >= mostAsking) return;
      this.#due.delete(runId);
      this.#asking += 1;
      void this.#ask(runId).finally(() => {
        this.#asking -= 1;
        this.#askNext();
      });
    }
  }

  async #ask(runId: string): Promise<void> {
    const { admin } = this.#connection;
    let ticks: number | undefined = againTicks;
    let details: GetRunDetailsResponse | undefined;
    try {
      details = await callUnary(
        this.#connection,
        admin.getRunDetails.bind(admin),
        { externalId: runId },
        { timeoutMs: 60_000 },
      );
    } catch (error) {
      const run = this.#runs.get(runId);
      // An engine that is away says nothing of the run.
      ticks = run === undefined || statusOf(error) !== status.NOT_FOUND ? 1 : missTicks[run.misses++];
      if (ticks === undefined) return this.#events.onMissing(runId);
    }
    const run = this.#runs.get(runId);
    if (run !== undefined) run.ticks = ticks;
    if (details?.done === true) this.#events.onEnded(runId, details);
  }
}
