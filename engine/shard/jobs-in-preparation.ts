import type { CelEvaluator } from '../cel/cel-evaluator.ts';
import type { Host } from '../base/host.ts';
import type { StagedPayloads } from '../commit/staged-payloads.ts';
import { commandFailure } from './command-failure.ts';
import { CommandOrder } from './command-order.ts';
import type { LongLogs } from './facts/long-durable-logs.ts';
import type { Job } from './job.ts';

/** Commands whose payloads are staged, whose expressions are evaluated or whose long logs are read before they can be planned, and those that must not overtake them. */
export class JobsInPreparation {
  readonly #cel: CelEvaluator;
  readonly #payloads: StagedPayloads;
  readonly #logs: LongLogs;
  readonly #host: Host;
  readonly #back: (job: Job) => boolean;
  readonly #order = new CommandOrder();
  readonly #waiting = new Set<Promise<void>>();

  /** @param back takes a job that can be planned; false if it was refused, and what waits behind it stays */
  constructor(
    sources: { cel: CelEvaluator; payloads: StagedPayloads; logs: LongLogs; host: Host },
    back: (job: Job) => boolean,
  ) {
    this.#cel = sources.cel;
    this.#payloads = sources.payloads;
    this.#logs = sources.logs;
    this.#host = sources.host;
    this.#back = back;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Whether a job has to wait for one that is away. */
  blocks(job: Job): boolean {
    return this.#order.isBehind(job);
  }

  /** Of jobs just taken, those that can be loaded, and those that go back to the queue. The others leave until their payloads are staged. */
  admitToLoad(jobs: readonly Job[]): Admitted {
    const nowMs = this.#host.monotonicMs();
    for (const { tenantId } of jobs) if (tenantId !== undefined) this.#payloads.seen(tenantId, nowMs);
    return this.#admit(jobs, ({ payloads, tenantId, shard }) =>
      payloads.unstaged.length === 0
        ? undefined
        : this.#payloads
            .stage(tenantId ?? `shard ${shard}`, payloads.unstaged)
            .then((staged) => payloads.setStaged(staged)),
    );
  }

  /** Of jobs that were loaded, those that can be planned, and those that go back. The others leave until their expressions are evaluated, or their long logs are read. */
  admitToPlan(jobs: readonly Job[]): Admitted {
    return this.#admit(jobs, ({ expressions, longLogs, tenantId, shard }) => {
      if (longLogs.length > 0)
        return Promise.all(longLogs.map(async (taskId) => this.#logs.read(taskId))).then(() => undefined);
      return expressions === undefined || expressions.isComplete
        ? undefined
        : expressions.evaluate(this.#cel.of(tenantId ?? `shard ${shard}`));
    });
  }

  #admit(jobs: readonly Job[], need: (job: Job) => Promise<void> | undefined): Admitted {
    const ready: Job[] = [];
    const behind: Job[] = [];
    for (const job of jobs) {
      const needed = this.blocks(job) ? 'behind' : need(job);
      if (needed === 'behind') behind.push(job);
      else if (needed === undefined) ready.push(job);
      else this.#send(job, needed);
    }
    return { ready, behind };
  }

  /** Resolves once none is away. */
  async settled(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.all(this.#waiting);
  }

  #send(job: Job, needed: Promise<void>): void {
    const { command } = job;
    this.#order.hold(job);
    const waiting = needed
      .then(() => this.#back(job))
      .catch((error: unknown) => {
        // It fails alone, and those behind it go on.
        job.reject(commandFailure(error, command.kind));
        return true;
      })
      .then((isBack) => {
        this.#waiting.delete(waiting);
        if (isBack) this.#order.release(job);
      });
    this.#waiting.add(waiting);
  }
}

interface Admitted {
  ready: Job[];
  behind: Job[];
}
