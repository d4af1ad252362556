import type { CelEvaluator } from '../cel/cel-evaluator.ts';
import type { Job } from './job.ts';

/** Commands whose expressions are evaluated before they can be planned, and those that must not overtake them. */
export class Parking {
  readonly #cel: CelEvaluator;
  readonly #back: (job: Job) => boolean;
  /** Ids of tasks of which a command is away: a durable task's operations are numbered in the order in which they came. */
  readonly #away = new Set<string>();
  readonly #evaluating = new Set<Promise<void>>();

  /** @param back takes a job that can be planned; false if it was refused, and what waits behind it stays */
  constructor(cel: CelEvaluator, back: (job: Job) => boolean) {
    this.#cel = cel;
    this.#back = back;
  }

  get isEmpty(): boolean {
    return this.#evaluating.size === 0;
  }

  /** Whether a job has to wait for one that is away. */
  blocks({ command }: Job): boolean {
    return this.#away.size > 0 && 'taskId' in command && this.#away.has(command.taskId);
  }

  /** Of a batch that was loaded, those that can be planned, and those that go back to the queue. The others leave. */
  admit(jobs: readonly Job[]): { ready: Job[]; behind: Job[] } {
    const ready: Job[] = [];
    const behind: Job[] = [];
    for (const job of jobs) {
      if (this.blocks(job)) behind.push(job);
      else if (job.expressions === undefined || job.expressions.isComplete) ready.push(job);
      else this.#park(job);
    }
    return { ready, behind };
  }

  /** Resolves once none is away. */
  async settled(): Promise<void> {
    while (this.#evaluating.size > 0) await Promise.all(this.#evaluating);
  }

  #park(job: Job): void {
    const { command, expressions } = job;
    if (expressions === undefined) return;
    if ('taskId' in command) this.#away.add(command.taskId);
    const tenantId = 'tenantId' in command ? command.tenantId : `shard ${job.shard}`;
    const evaluating = expressions.evaluate(this.#cel.of(tenantId)).then(() => {
      this.#evaluating.delete(evaluating);
      if (this.#back(job) && 'taskId' in command) this.#away.delete(command.taskId);
    });
    this.#evaluating.add(evaluating);
  }
}
