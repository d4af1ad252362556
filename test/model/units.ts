import type { RateLimitDemand } from '../../engine/model/task/demands.ts';
import type { PutRateLimitCommand } from '../../engine/plan/commands/definitions/put-rate-limit.ts';
import type { ModelLimit, ModelTask, ModelView } from './model-state.ts';
import { byRank } from './places.ts';

const seconds: Record<string, number> = {
  SECOND: 1,
  MINUTE: 60,
  HOUR: 3600,
  DAY: 86_400,
  WEEK: 604_800,
  MONTH: 2_592_000,
  YEAR: 31_536_000,
};

/** Rate limits. */
export class Units {
  readonly limits = new Map<string, ModelLimit>();
  readonly #model: ModelView;
  readonly #enter: (task: ModelTask) => void;

  /** @param enter puts a task back into its queue */
  constructor(model: ModelView, enter: (task: ModelTask) => void) {
    this.#model = model;
    this.#enter = enter;
  }

  put(command: Pick<PutRateLimitCommand, 'key' | 'limit' | 'window'>): void {
    const limit = this.#limit({ key: command.key, limit: null, window: command.window });
    const windowUs = (seconds[command.window] ?? 0) * 1e6;
    if (limit.isStatic && limit.limit === command.limit && limit.windowUs === windowUs) return;
    if (!limit.isStatic) Object.assign(limit, { isStatic: true, windowLimit: command.limit });
    Object.assign(limit, {
      limit: command.limit,
      windowUs,
      windowLimit: Math.min(limit.windowLimit, command.limit),
    });
    this.#judgeAnew(limit);
  }

  drop(key: string): void {
    const limit = this.limits.get(key);
    if (limit === undefined || (!limit.isStatic && limit.limit === 0)) return;
    Object.assign(limit, { isStatic: false, limit: 0, windowLimit: 0, windowStart: 0, used: 0 });
    this.#judgeAnew(limit);
  }

  #judgeAnew(limit: ModelLimit): void {
    const { tasks } = this.#model;
    const those = tasks.filter((task) => task.limitedBy?.limit === limit);
    for (const tooLarge of [false, true])
      for (const task of those.filter((each) => each.limitedBy?.tooLarge === tooLarge).sort(byRank))
        this.#requeue(task);
  }

  /**
   * What the planner says of a task that it made to wait for this limit: that limit has too little for it, or others have
   * asked it in vain before; those that the task names before it had enough.
   */
  missing(task: ModelTask, key: string): { limit: ModelLimit; tooLarge: boolean } | undefined {
    for (const demand of task.demands?.rateLimits ?? []) {
      const limit = this.#limit(demand);
      const isShort = demand.units > this.#left(limit);
      if (demand.key !== key && isShort) return undefined;
      if (demand.key !== key) continue;
      const isBehind = this.#model.tasks.some(
        (other) => other !== task && this.#asks(other, key) && byRank(other, task) < 0,
      );
      return isShort || isBehind ? { limit, tooLarge: demand.units > limit.limit } : undefined;
    }
    return undefined;
  }

  /** Some limit has too little for it. */
  isShort(task: ModelTask): boolean {
    return (task.demands?.rateLimits ?? []).some((demand) => demand.units > this.#left(this.#limit(demand)));
  }

  /** It has asked in vain. One of a batch step leaves those that gather; another stays where it stands in its queue. */
  wait(task: ModelTask, missing: { limit: ModelLimit; tooLarge: boolean }): void {
    task.where = 'out of units';
    if (task.step.batch !== null) task.limitedBy = missing;
  }

  /**
   * Whether it is right that the task, which is next in its line, is passed over: some limit has too little for it, or
   * has been asked in vain by one that goes before it.
   */
  mayBePassedOver(task: ModelTask): boolean {
    return (task.demands?.rateLimits ?? []).some(
      (demand) => demand.units > this.#left(this.#peek(demand)) || this.#isBehind(task, demand.key),
    );
  }

  #isBehind(task: ModelTask, key: string): boolean {
    return this.#model.tasks.some((other) => other !== task && this.#asks(other, key) && byRank(other, task) < 0);
  }

  /** Some limit has too little for it, or has a line in which others surely stand before it. */
  surelyWaits(task: ModelTask): boolean {
    return (task.demands?.rateLimits ?? []).some(
      (demand) =>
        demand.units > this.#left(this.#peek(demand)) ||
        this.#model.tasks.some(
          (other) => other !== task && this.#surelyStandsAt(other, demand.key) && byRank(other, task) < 0,
        ),
    );
  }

  /** Who asks several limits in vain stands in the line of one of them: which one is the planner's choice. */
  #surelyStandsAt(task: ModelTask, key: string): boolean {
    if (!this.#asks(task, key) || task.step.batch !== null) return this.#asks(task, key);
    const short = (task.demands?.rateLimits ?? []).filter((demand) => demand.units > this.#left(this.#peek(demand)));
    return short.every((demand) => demand.key === key) && short.length > 0;
  }

  /** Who has asked in vain before it, could start now, and loses units to it: it must not start before those. */
  *cheatedBy(task: ModelTask): Generator<ModelTask> {
    for (const demand of task.demands?.rateLimits ?? []) {
      for (const other of this.#model.tasks) {
        if (other === task || other.step.batch !== null || !this.#asks(other, demand.key) || byRank(other, task) > 0)
          continue;
        const couldGo = (other.demands?.rateLimits ?? []).every(
          (each) =>
            each.units <= this.#left(this.#peek(each)) && (each.key === demand.key || !this.#isBehind(other, each.key)),
        );
        if (couldGo) yield other;
      }
    }
  }

  spend(task: ModelTask): void {
    for (const demand of task.demands?.rateLimits ?? []) {
      if (demand.units === 0) continue;
      const limit = this.#limit(demand);
      if (this.#isOver(limit))
        Object.assign(limit, { windowStart: this.#model.now, used: 0, windowLimit: limit.limit });
      limit.used += demand.units;
      if (limit.used > limit.windowLimit)
        throw new Error(`${limit.used} units of ${limit.windowLimit} are spent on ${limit.key}`);
    }
  }

  /** Whoever waits does so for the first of its limits that has no units now. */
  restart(tasks: readonly ModelTask[]): void {
    const waiting = tasks
      .filter(({ where, step }) => where === 'out of units' && step.batch !== null)
      .sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
    for (const task of waiting) {
      const demands = task.demands?.rateLimits ?? [];
      const short = demands.find((demand) => demand.units > this.#left(this.#limit(demand))) ?? demands[0];
      if (short === undefined) throw new Error(`task ${task.id} waits for units but asks for none`);
      const limit = this.#limit(short);
      this.wait(task, { limit, tooLarge: short.units > limit.limit });
    }
  }

  /** Time went on: where a window is over, tasks of batch steps go back to those that gather, as far as the units reach. */
  refill(): void {
    for (const limit of this.limits.values()) {
      if (!this.#isOver(limit)) continue;
      let { limit: left } = limit;
      for (const task of this.#line(limit)) {
        left -= task.demands?.rateLimits.find(({ key }) => key === limit.key)?.units ?? 0;
        if (left < 0) break;
        this.#requeue(task);
      }
    }
  }

  #requeue(task: ModelTask): void {
    task.where = 'ready';
    task.limitedBy = null;
    this.#enter(task);
  }

  #line(limit: ModelLimit): ModelTask[] {
    return this.#model.tasks.filter((task) => task.limitedBy?.limit === limit && !task.limitedBy.tooLarge).sort(byRank);
  }

  #isOver(limit: ModelLimit): boolean {
    return this.#model.now >= limit.windowStart + limit.windowUs;
  }

  #left(limit: ModelLimit): number {
    return this.#isOver(limit) ? limit.limit : Math.max(limit.windowLimit - limit.used, 0);
  }

  /** As the last task that asked has left it. */
  #peek(demand: Pick<RateLimitDemand, 'key' | 'limit' | 'window'>): ModelLimit {
    return this.limits.get(demand.key) ?? this.#limit(demand);
  }

  #limit(demand: Pick<RateLimitDemand, 'key' | 'limit' | 'window'>): ModelLimit {
    const known = this.limits.get(demand.key);
    const windowUs = (seconds[demand.window] ?? 0) * 1e6;
    if (known === undefined) {
      const limit = demand.limit ?? 0;
      const made = { key: demand.key, limit, windowUs, windowLimit: limit, windowStart: 0, used: 0, isStatic: false };
      this.limits.set(demand.key, made);
      return made;
    }
    if (demand.limit !== null)
      Object.assign(known, { limit: demand.limit, windowUs, windowLimit: Math.min(known.windowLimit, demand.limit) });
    return known;
  }

  /** It has asked the limit in vain, and waits. Who asks more than a full window holds is before nobody. */
  #asks(task: ModelTask, key: string): boolean {
    if (task.where !== 'out of units') return false;
    if (task.step.batch !== null) return task.limitedBy?.limit.key === key && !task.limitedBy.tooLarge;
    return (task.demands?.rateLimits ?? []).some(
      (demand) => demand.key === key && demand.units <= this.#peek(demand).limit,
    );
  }
}
