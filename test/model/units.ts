import type { RateLimitDemand } from '../../engine/model/demands.ts';
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
  /** Keys that somebody waits for, in the order in which they ran out. */
  #exhausted: ModelLimit[] = [];
  readonly #model: ModelView;
  readonly #enter: (task: ModelTask) => void;

  /** @param enter puts a task back into its queue */
  constructor(model: ModelView, enter: (task: ModelTask) => void) {
    this.#model = model;
    this.#enter = enter;
  }

  put(command: Pick<PutRateLimitCommand, 'key' | 'limit' | 'window'>): void {
    const limit = this.#limit({ key: command.key, limit: null, window: command.window });
    if (!limit.isStatic) Object.assign(limit, { isStatic: true, windowLimit: command.limit });
    Object.assign(limit, {
      limit: command.limit,
      windowUs: (seconds[command.window] ?? 0) * 1e6,
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

  /** The first limit that has no units for the task, or whose line it must join. */
  missing(task: ModelTask): { limit: ModelLimit; tooLarge: boolean } | undefined {
    for (const demand of task.demands?.rateLimits ?? []) {
      const limit = this.#limit(demand);
      const [first] = this.#line(limit);
      if (demand.units > this.#left(limit) || (first !== undefined && byRank(first, task) < 0))
        return { limit, tooLarge: demand.units > limit.limit };
    }
    return undefined;
  }

  wait(task: ModelTask, missing: { limit: ModelLimit; tooLarge: boolean }): void {
    task.where = 'out of units';
    task.limitedBy = missing;
    if (!missing.tooLarge && !this.#exhausted.includes(missing.limit)) this.#exhausted.push(missing.limit);
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
    this.#exhausted = [];
    const waiting = tasks
      .filter(({ where }) => where === 'out of units')
      .sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
    for (const task of waiting) {
      const demands = task.demands?.rateLimits ?? [];
      const short = demands.find((demand) => demand.units > this.#left(this.#limit(demand))) ?? demands[0];
      if (short === undefined) throw new Error(`task ${task.id} waits for units but asks for none`);
      const limit = this.#limit(short);
      this.wait(task, { limit, tooLarge: short.units > limit.limit });
    }
  }

  /** Time went on: lines of keys whose window is over move up as far as the units reach. */
  refill(): void {
    this.#exhausted = this.#exhausted.filter((limit) => this.#line(limit).length > 0);
    for (const limit of this.#exhausted) {
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
}
