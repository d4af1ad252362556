import type { Decision, ModelTask, ModelView, ModelWorker } from './model-state.ts';
import { rank } from './places.ts';
import type { Units } from './units.ts';

const ranks = [0, 1, 2, 3];

/** Who is next for a worker. */
export class Queue {
  /** By action and rank: the keys that take turns. */
  readonly #rings = new Map<string, string[]>();
  readonly #model: ModelView;
  readonly #units: Units;

  constructor(model: ModelView, units: Units) {
    this.#model = model;
    this.#units = units;
  }

  enter(task: ModelTask): void {
    task.queued = true;
    const ring = this.#ring(task);
    if (!ring.includes(keyOf(task))) ring.push(keyOf(task));
  }

  leave(task: ModelTask): void {
    if (!task.queued) return;
    task.queued = false;
    const others = this.#waiting(task.step.action).filter((other) => rank(other) === rank(task) && keyOf(other) === keyOf(task));
    const ring = this.#ring(task);
    if (others.length === 0) ring.splice(ring.indexOf(keyOf(task)), 1);
  }

  restart(): void {
    this.#rings.clear();
    for (const task of this.#model.tasks.filter(({ queued }) => queued).sort((a, b) => a.turn - b.turn)) this.enter(task);
  }

  /** Replays the planner's decisions, one after the other: each must be right, and none may be left out. */
  follow(decisions: readonly Decision[]): void {
    for (const { taskId, workerId } of decisions) {
      const task = this.#model.tasks.find(({ id }) => id === taskId);
      if (task === undefined || !task.queued) throw new Error(`task ${taskId} is not queued, it is ${task?.where ?? 'gone'}`);
      if (workerId === null) this.#limit(task);
      else this.#assign(task, workerId);
    }
    for (const task of this.#model.tasks) {
      const worker = task.queued ? this.#model.workers.find((each) => this.#canTake(each, task)) : undefined;
      if (worker !== undefined) throw new Error(`task ${task.id} was left waiting, though worker ${worker.id} has room for it`);
    }
  }

  used(worker: ModelWorker): number {
    return this.#model.tasks.filter((task) => task.worker === worker && !task.slotReleased).reduce((sum, task) => sum + slots(task), 0);
  }

  #limit(task: ModelTask): void {
    const missing = this.#units.missing(task);
    if (missing === undefined) throw new Error(`task ${task.id} has all its units, but was made to wait for some`);
    if (!this.#model.workers.some((worker) => this.#canTake(worker, task))) throw new Error(`task ${task.id} was made to wait for units before a worker had room for it`);
    this.leave(task);
    this.#units.wait(task, missing);
  }

  #assign(task: ModelTask, workerId: string): void {
    const { workers } = this.#model;
    const worker = workers.find(({ id }) => id === workerId);
    if (worker === undefined || !this.#canTake(worker, task)) throw new Error(`worker ${workerId} cannot take task ${task.id}`);
    for (const ahead of this.#inOrder(task.step.action)) {
      if (ahead === task) break;
      if (this.#canTake(worker, ahead)) throw new Error(`task ${task.id} was given to worker ${workerId} before task ${ahead.id}`);
    }
    if (this.#units.missing(task) !== undefined) throw new Error(`task ${task.id} runs without its units`);
    const best = Math.max(...workers.filter((each) => this.#canTake(each, task)).map((each) => merit(each, task)));
    if (merit(worker, task) < best) throw new Error(`task ${task.id} went to worker ${workerId}, which suits it less than another with room`);
    this.#units.spend(task);
    this.leave(task);
    Object.assign(task, { where: 'runs', worker, assigned: this.#model.count(), due: this.#model.now + task.step.executionTimeoutMs * 1000 });
    if (task.run.workflow.definition.sticky !== null) this.#stick(task, workerId);
    const ring = this.#ring(task);
    const at = ring.indexOf(keyOf(task));
    if (at >= 0) ring.push(...ring.splice(at, 1));
  }

  /** The run's first task decides for the others. Who moves takes a new turn if it was the last of its key. */
  #stick(task: ModelTask, workerId: string): void {
    for (const each of task.run.tasks) {
      if (each.where === 'gone' || each.demands === null || each.stickyWorker !== null) continue;
      each.stickyWorker = workerId;
      if (!each.queued) continue;
      this.leave(each);
      this.enter(each);
    }
  }

  #canTake(worker: ModelWorker, task: ModelTask): boolean {
    if (!worker.present || worker.paused || worker.left || worker.slots - this.used(worker) < slots(task)) return false;
    if (!worker.actions.includes(task.step.action) || this.#model.paused.has(task.run.workflow.id)) return false;
    if (task.run.workflow.definition.sticky === 'HARD' && task.stickyWorker !== null && task.stickyWorker !== worker.id) return false;
    return (task.demands?.labels ?? []).every((label) => !label.required || worker.labels.get(label.key) === label.value);
  }

  #waiting(action: string): ModelTask[] {
    return this.#model.tasks.filter((task) => task.step.action === action && task.queued);
  }

  /** Best rank first, inside a rank by the keys' turns, inside a key first come, first served. */
  #inOrder(action: string): ModelTask[] {
    const waiting = this.#waiting(action).sort((a, b) => a.turn - b.turn);
    return ranks.flatMap((each) => (this.#rings.get(`${action} ${each}`) ?? []).flatMap((key) => waiting.filter((task) => rank(task) === each && keyOf(task) === key)));
  }

  #ring(task: ModelTask): string[] {
    const name = `${task.step.action} ${rank(task)}`;
    const ring = this.#rings.get(name) ?? [];
    this.#rings.set(name, ring);
    return ring;
  }
}

function slots(task: ModelTask): number {
  return task.step.slots['default'] ?? 0;
}

function keyOf(task: ModelTask): string {
  return task.demands?.concurrency.findLast((link) => link.strategy === 'GROUP_ROUND_ROBIN')?.key ?? '';
}

/** The sticky worker before all others, then by the labels that it meets. */
function merit(worker: ModelWorker, task: ModelTask): number {
  if (task.stickyWorker === worker.id) return Infinity;
  const labels = task.demands?.labels ?? [];
  return labels.filter((label) => worker.labels.get(label.key) === label.value).reduce((sum, label) => sum + label.weight, 0);
}
