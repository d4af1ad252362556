import type { Gathering } from './gathering.ts';
import type { Decision, ModelTask, ModelView, ModelWorker, Progress } from './model-state.ts';
import { byRank, rank } from './places.ts';
import type { Units } from './units.ts';

/** Who is next for a worker. */
export class Queue {
  /** By action and rank: the keys that take turns, and whose is next: the lowest number. */
  readonly #rings = new Map<string, Map<string, number>>();
  readonly #model: ModelView;
  readonly #units: Units;
  readonly #gathering: Gathering;
  /** Who had asked for units in vain, and after the last batch lacked nothing but a worker: it is ahead of nobody any more. */
  #hadUnits = new Set<ModelTask>();
  /** Who was first in its line when it asked for units in vain, and has others before it since: it asks anew once it is first again. */
  readonly #displaced = new Set<ModelTask>();
  /** The line of a task, and what may change it. */
  readonly #lines = new WeakMap<ModelTask, Pick<ModelTask, 'demands' | 'stickyWorker'> & { line: string }>();
  /** What the batch that is being made was gathered by: its members' own bonds may change with their start. */
  #gatheredBy = '';

  constructor(model: ModelView, parts: { units: Units; gathering: Gathering }) {
    this.#model = model;
    this.#units = parts.units;
    this.#gathering = parts.gathering;
  }

  /** @param keepsTurn comes back from a rate limit */
  enter(task: ModelTask, keepsTurn = false): void {
    if (task.step.batch !== null) return this.#gathering.join(task, keepsTurn);
    task.queued = true;
    const ring = this.#ring(task);
    if (!ring.has(keyOf(task))) ring.set(keyOf(task), this.#model.count());
  }

  leave(task: ModelTask): void {
    if (!task.queued) return;
    task.queued = false;
    const others = this.#waiting(task.step.action).filter(
      (other) => rank(other) === rank(task) && keyOf(other) === keyOf(task),
    );
    if (others.length === 0) this.#ring(task).delete(keyOf(task));
  }

  restart(): void {
    this.#rings.clear();
    for (const task of this.#model.tasks.filter(({ queued }) => queued).sort((a, b) => a.turn - b.turn))
      this.enter(task);
  }

  /** A transaction was taken back: the keys' turns may have gone on, so that any of those that wait may be next. */
  tookBack(): void {
    const turn = this.#model.count();
    for (const ring of this.#rings.values()) for (const key of ring.keys()) ring.set(key, turn);
  }

  /** Replays the planner's decisions, one after the other: each must be right, and none may be left out once it is through. */
  follow(decisions: readonly Decision[], { isAssigned }: Pick<Progress, 'isAssigned'>): void {
    let members: ModelTask[] = [];
    this.#noteDisplaced();
    for (const { taskId, workerId, batchId, limitKey } of decisions) {
      const task = this.#model.tasks.find(({ id }) => id === taskId);
      if (task === undefined || (!task.queued && task.where !== 'gathers'))
        throw new Error(`task ${taskId} is not queued, it is ${task?.where ?? 'gone'}`);
      const [first] = members;
      if (first !== undefined && batchId !== first.batch && workerId !== null) members = this.#close(members);
      if (workerId === null)
        this.#limit(task, limitKey, first !== undefined && this.#gathering.nameOf(task) === this.#gatheredBy);
      else if (batchId === null) this.#assign(task, workerId);
      else {
        if (members.length === 0) this.#begin(task, workerId);
        this.#join(task, { workerId, batchId, members });
        members.push(task);
      }
    }
    this.#close(members);
    if (isAssigned) this.#expectNoneLeft();
    this.#hadUnits = new Set(
      this.#model.tasks.filter(
        (task) =>
          task.queued &&
          task.where === 'out of units' &&
          !this.#firstsOfLine(task).every((first) => this.#units.surelyWaits(first)),
      ),
    );
  }

  #expectNoneLeft(): void {
    for (const task of this.#model.tasks) {
      if (!task.queued && task.where !== 'gathers') continue;
      const worker = this.#model.workers.find((each) => this.#canTake(each, task));
      if (worker === undefined) continue;
      if (task.queued ? this.#isStopped(task) : !this.#gathering.mayGo(task, this.#model.lastTick)) continue;
      throw new Error(`task ${task.id} was left waiting, though worker ${worker.id} has room for it`);
    }
  }

  /** A batch that may go, to a worker that has room for one task and suits its first member best. */
  #begin(task: ModelTask, workerId: string): void {
    const { workers } = this.#model;
    this.#gatheredBy = this.#gathering.nameOf(task);
    const worker = workers.find(({ id }) => id === workerId);
    if (worker === undefined || !this.#canTake(worker, task))
      throw new Error(`worker ${workerId} cannot take a batch of task ${task.id}`);
    if (!this.#gathering.mayGo(task, this.#model.now)) throw new Error(`the batch of task ${task.id} may not go yet`);
    const ahead = this.#model.tasks.find(
      (each) =>
        each.where === 'gathers' &&
        each.step.action === task.step.action &&
        this.#gathering.mayGo(each, this.#model.lastTick) &&
        rank(each) < rank(task) &&
        this.#canTake(worker, each) &&
        !this.#gathering.buffer(task).includes(each),
    );
    if (ahead !== undefined) throw new Error(`a batch of task ${task.id} went before one of task ${ahead.id}`);
    const best = Math.max(...workers.filter((each) => this.#canTake(each, task)).map((each) => merit(each, task)));
    if (merit(worker, task) < best)
      throw new Error(
        `the batch of task ${task.id} went to worker ${workerId}, which suits it less than another with room`,
      );
  }

  #join(task: ModelTask, to: { workerId: string; batchId: string; members: readonly ModelTask[] }): void {
    const [first] = this.#gathering.buffer(task);
    if (first !== task) throw new Error(`task ${task.id} went before task ${first?.id}`);
    if (to.members.length > 0 && this.#gathering.isFull(to.members, task))
      throw new Error(`task ${task.id} does not fit into batch ${to.batchId}`);
    if (this.#units.isShort(task)) throw new Error(`task ${task.id} runs without its units`);
    this.#units.spend(task);
    task.batch = to.batchId;
    this.#start(task, to.workerId);
  }

  /** Nobody who would have fitted was left behind. */
  #close(members: readonly ModelTask[]): [] {
    const [first] = members;
    const next =
      first === undefined
        ? undefined
        : this.#model.tasks
            .filter((each) => each.where === 'gathers' && this.#gathering.nameOf(each) === this.#gatheredBy)
            .sort(byRank)[0];
    if (next !== undefined && !this.#gathering.isFull(members, next))
      throw new Error(`task ${next.id} was left out of batch ${first?.batch}`);
    return [];
  }

  used(worker: ModelWorker): number {
    const taking = this.#model.tasks.filter((task) => task.worker === worker && !task.slotReleased);
    return taking
      .filter((task, index) => task.batch === null || taking.findIndex((each) => each.batch === task.batch) === index)
      .reduce((sum, task) => sum + slots(task), 0);
  }

  /** @param hasBegun its batch has its worker already */
  #limit(task: ModelTask, limitKey: string, hasBegun: boolean): void {
    const missing = this.#units.missing(task, limitKey);
    if (missing === undefined) throw new Error(`task ${task.id} has all its units, but was made to wait for some`);
    if (!hasBegun && !this.#model.workers.some((worker) => this.#canTake(worker, task)))
      throw new Error(`task ${task.id} was made to wait for units before a worker had room for it`);
    if (!this.#firstsOfLine(task).includes(task)) throw new Error(`task ${task.id} asked for units before its turn`);
    if (task.step.batch !== null) this.leave(task);
    this.#displaced.delete(task);
    this.#units.wait(task, missing);
  }

  /** Tasks of one action that agree in where and when they may start stand in one line. */
  #lineOf(task: ModelTask): string {
    const { step, demands, run, stickyWorker } = task;
    const known = this.#lines.get(task);
    if (known !== undefined && known.demands === demands && known.stickyWorker === stickyWorker) return known.line;
    const line = JSON.stringify([
      step.action,
      run.workflow.id,
      step.slots,
      step.labels,
      demands?.labels ?? [],
      stickyWorker,
      demands?.rateLimits ?? [],
    ]);
    this.#lines.set(task, { demands, stickyWorker, line });
    return line;
  }

  /** Several, where the turns do not say which key is next. */
  #firstsOfLine(task: ModelTask): ModelTask[] {
    if (task.step.batch !== null) return [task];
    const line = this.#waiting(task.step.action).filter((each) => this.#lineOf(each) === this.#lineOf(task));
    const firsts = line.filter((each) => !line.some((other) => this.#isAhead(other, each)));
    return firsts.length === 0 ? [task] : firsts;
  }

  /** The next task of its line has no units, or stands behind others that have none. */
  #isStopped(task: ModelTask): boolean {
    return this.#firstsOfLine(task).some((first) => this.#units.mayBePassedOver(first));
  }

  #assign(task: ModelTask, workerId: string): void {
    const { workers } = this.#model;
    const worker = workers.find(({ id }) => id === workerId);
    if (worker === undefined || !this.#canTake(worker, task))
      throw new Error(`worker ${workerId} cannot take task ${task.id}`);
    for (const ahead of this.#waiting(task.step.action)) {
      if (this.#isAhead(ahead, task) && this.#canTake(worker, ahead) && !this.#isStopped(ahead))
        throw new Error(`task ${task.id} was given to worker ${workerId} before task ${ahead.id}`);
    }
    if (this.#units.isShort(task)) throw new Error(`task ${task.id} runs without its units`);
    for (const other of this.#units.cheatedBy(task))
      if (
        !this.#hadUnits.has(other) &&
        !this.#displaced.has(other) &&
        this.#lineOf(other) !== this.#lineOf(task) &&
        workers.some((each) => this.#canTake(each, other))
      )
        throw new Error(`task ${task.id} took units before task ${other.id}`);
    const best = Math.max(...workers.filter((each) => this.#canTake(each, task)).map((each) => merit(each, task)));
    if (merit(worker, task) < best)
      throw new Error(`task ${task.id} went to worker ${workerId}, which suits it less than another with room`);
    this.#units.spend(task);
    this.leave(task);
    this.#start(task, workerId);
    const ring = this.#ring(task);
    if (ring.has(keyOf(task))) ring.set(keyOf(task), this.#model.count());
  }

  #start(task: ModelTask, workerId: string): void {
    const worker = this.#model.workers.find(({ id }) => id === workerId) ?? null;
    Object.assign(task, {
      where: 'runs',
      worker,
      assigned: this.#model.count(),
      due: this.#model.now + task.step.executionTimeoutMs * 1000,
    });
    if (task.run.workflow.definition.sticky !== null) this.#stick(task, workerId);
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
    this.#noteDisplaced();
  }

  #noteDisplaced(): void {
    for (const task of this.#displaced) if (!task.queued || task.where !== 'out of units') this.#displaced.delete(task);
    for (const task of this.#model.tasks)
      if (task.queued && task.where === 'out of units' && !this.#firstsOfLine(task).includes(task))
        this.#displaced.add(task);
  }

  #canTake(worker: ModelWorker, task: ModelTask): boolean {
    if (
      !worker.present ||
      worker.blocked ||
      worker.paused ||
      worker.left ||
      worker.slots - this.used(worker) < slots(task)
    )
      return false;
    if (!worker.actions.includes(task.step.action) || this.#model.paused.has(task.run.workflow.id)) return false;
    if (task.run.workflow.definition.sticky === 'HARD' && task.stickyWorker !== null && task.stickyWorker !== worker.id)
      return false;
    return (task.demands?.labels ?? []).every(
      (label) => !label.required || worker.labels.get(label.key) === label.value,
    );
  }

  #waiting(action: string): ModelTask[] {
    return this.#model.tasks.filter((task) => task.step.action === action && task.queued);
  }

  /** Best rank first, inside a rank by the keys' turns, inside a key first come, first served. */
  #isAhead(task: ModelTask, other: ModelTask): boolean {
    if (rank(task) !== rank(other)) return rank(task) < rank(other);
    if (keyOf(task) === keyOf(other)) return task.turn < other.turn;
    const ring = this.#ring(task);
    return (ring.get(keyOf(task)) ?? 0) < (ring.get(keyOf(other)) ?? 0);
  }

  #ring(task: ModelTask): Map<string, number> {
    const name = `${task.step.action} ${rank(task)}`;
    const ring = this.#rings.get(name) ?? new Map<string, number>();
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
  return labels
    .filter((label) => worker.labels.get(label.key) === label.value)
    .reduce((sum, label) => sum + label.weight, 0);
}
