import type { ModelTask, ModelView } from './model-state.ts';
import { byRank } from './places.ts';

const mostBytes = 4_000_000;

/** Tasks that wait for a batch: who would go with whom, and when. */
export class Gathering {
  readonly #model: ModelView;

  constructor(model: ModelView) {
    this.#model = model;
  }

  join(task: ModelTask, keepsTurn: boolean): void {
    Object.assign(task, {
      where: 'gathers',
      ...(keepsTurn ? {} : { joined: this.#model.now, turn: this.#model.count() }),
    });
  }

  /** Everybody who may go with the task, best first: of its step and key, and bound to the same workers. */
  buffer(task: ModelTask): ModelTask[] {
    return this.#model.tasks
      .filter((each) => each.where === 'gathers' && this.nameOf(each) === this.nameOf(task))
      .sort(byRank);
  }

  /** Those with one name go together. */
  nameOf(task: ModelTask): string {
    return `${keyOf(task)} ${JSON.stringify([task.demands?.labels ?? [], task.stickyWorker])}`;
  }

  /** Nothing but a worker is missing. @param now intervals are looked at as of then */
  mayGo(task: ModelTask, now: number): boolean {
    const buffer = this.buffer(task);
    const { batch } = task.step;
    if (batch === null) return false;
    const running = new Set(
      this.#model.tasks.filter((each) => each.batch !== null && keyOf(each) === keyOf(task)).map((each) => each.batch),
    );
    if (running.size >= (batch.groupMaxRuns ?? Infinity)) return false;
    const isOld =
      batch.maxIntervalMs !== null && buffer.some((each) => each.joined + (batch.maxIntervalMs ?? 0) * 1000 <= now);
    return buffer.length >= batch.maxSize || buffer.some((each) => each.first) || isOld || bytes(buffer) >= mostBytes;
  }

  /** Nobody more fits. */
  isFull(members: readonly ModelTask[], next: ModelTask): boolean {
    return members.length >= (next.step.batch?.maxSize ?? 0) || bytes([...members, next]) > mostBytes;
  }
}

/** Payloads alone: what frames them does not matter beside the sizes that histories have. */
function bytes(tasks: readonly ModelTask[]): number {
  return tasks.reduce((sum, task) => sum + (task.demands?.batch?.bytes ?? 0), 0);
}

function keyOf(task: ModelTask): string {
  return `${task.run.workflow.id} ${task.index} ${task.demands?.batch?.key ?? ''}`;
}
