import type { Chances } from './chances.ts';
import type { Invariants } from './invariants.ts';
import type { Programs } from './programs.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedLink } from './simulated-link.ts';

/** So long a program reads nothing, and so many runs it waits for. */
const slowForMs = 20_000;
const runsOfSlow = 80;
/** Between two triggers of each other program. */
const triggerEachMs = 600;
/** Others are told of what is stored within this, a hand-over of their shard included. */
const longestMs = 4_000;

interface Around {
  readonly scheduler: Scheduler;
  readonly programs: Programs;
  readonly invariants: Invariants;
  readonly chances: Chances;
}

/** What has to hold while one program reads nothing: the others are served as ever. */
export class SlowReader {
  readonly #around: Around;
  /** By run, since when its end is stored. */
  readonly #ended = new Map<string, number>();
  #isSlow = false;

  constructor(around: Around) {
    this.#around = around;
  }

  get isSlow(): boolean {
    return this.#isSlow;
  }

  runEnded(runId: string): void {
    if (!this.#ended.has(runId)) this.#ended.set(runId, this.#around.scheduler.nowMs);
  }

  /** @param slow has much to be told, and reads none of it */
  start(slow: SimulatedLink, others: readonly SimulatedLink[]): void {
    const { scheduler, programs, chances } = this.#around;
    this.#isSlow = true;
    for (let n = 0; n < runsOfSlow; n++)
      programs.triggerBy(slow, { workflowName: 'single', input: { key: 'p' } }, true, {
        acknowledged: () => undefined,
        ended: () => undefined,
      });
    // Once it has sent them.
    scheduler.in(chances.pick([30, 300, 2_000]), () => {
      if (chances.is(0.5)) slow.stopReading(slowForMs);
      else slow.process.stall(slowForMs);
    });
    scheduler.in(slowForMs + 5_000, () => (this.#isSlow = false));
    const trigger = (): void => {
      if (!this.#isSlow) return;
      for (const program of others) this.#triggerBy(program);
      scheduler.in(triggerEachMs, trigger);
    };
    trigger();
  }

  #triggerBy(program: SimulatedLink): void {
    const { scheduler, programs } = this.#around;
    const startMs = scheduler.nowMs;
    programs.triggerBy(program, { workflowName: 'single', input: { key: 'q' } }, false, {
      acknowledged: () => this.#judge(program, 'of its run', startMs),
      ended: (runId) => this.#judge(program, 'of the end of its run', this.#ended.get(runId) ?? scheduler.nowMs),
    });
  }

  #judge({ process }: SimulatedLink, what: string, sinceMs: number): void {
    const ms = this.#around.scheduler.nowMs - sinceMs;
    if (this.#isSlow && ms > longestMs)
      this.#around.invariants.broken(
        `${process.name} was told ${what} after ${Math.round(ms)} ms while another program read nothing`,
      );
  }
}
