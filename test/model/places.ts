import type { ConcurrencyDemand } from '../../engine/model/task/demands.ts';
import type { ModelPlaceRequest, ModelKey, ModelTask } from './model-state.ts';

/** Questions about concurrency, answered by looking at every request there is. */
export class Places {
  readonly keys = new Map<string, ModelKey>();
  requests: ModelPlaceRequest[] = [];
  /** Keys that gave a place back, or got more, and whose line has still to be looked at. */
  freed: ModelKey[] = [];
  /** Keys of which a strategy still has to cancel some that wait. */
  crowded: ModelKey[] = [];
  /** Tasks that became ready and have still to be judged. */
  arrivals: ModelTask[] = [];

  /** The key as the newest request on it declares it. */
  key(link: ConcurrencyDemand): ModelKey {
    const name = linkName(link);
    const known = this.keys.get(name);
    if (known === undefined) {
      const made = { name, strategy: link.strategy, maxRuns: link.maxRuns };
      this.keys.set(name, made);
      return made;
    }
    if (link.maxRuns > known.maxRuns) this.free(known);
    Object.assign(known, { strategy: link.strategy, maxRuns: link.maxRuns });
    return known;
  }

  /** Everybody stands in line again; a key is as the newest unfinished task declares it. */
  restart(tasks: readonly ModelTask[]): void {
    const unfinished = tasks.filter((task) => !(task.where === 'is being told to stop' && task.afterStop === 'end'));
    this.requests = this.requests.filter((request) =>
      request.tasks.some(
        (task) => unfinished.includes(task) && (task.request === request || task.runRequest === request),
      ),
    );
    for (const key of this.keys.values()) {
      const newest = unfinished
        .flatMap((task) => (task.demands?.concurrency ?? []).map((link) => ({ ...link, order: task.order })))
        .filter((link) => linkName(link) === key.name)
        .sort((a, b) => a.order - b.order)
        .at(-1);
      if (newest !== undefined) Object.assign(key, { strategy: newest.strategy, maxRuns: newest.maxRuns });
    }
    this.arrivals = [...this.arrivals, ...tasks.filter(({ inLine }) => inLine !== null)].sort(
      (a, b) => a.turn - b.turn,
    );
    for (const task of this.arrivals) task.inLine = null;
  }

  free(key: ModelKey): void {
    if (!this.freed.includes(key)) this.freed.push(key);
  }

  members(key: ModelKey): ModelPlaceRequest[] {
    return this.requests.filter((request) => request.arrived && request.keys.includes(key));
  }

  held(key: ModelKey): number {
    return this.members(key).filter((request) => request.held).length;
  }

  isFull(key: ModelKey): boolean {
    return this.held(key) >= key.maxRuns;
  }

  /** Best priority first (retries before all), then the oldest. */
  line(key: ModelKey, tasks: readonly ModelTask[]): ModelTask[] {
    return tasks.filter((task) => task.inLine === key).sort(byRank);
  }

  /** A request gives its places and its membership back. */
  release(request: ModelPlaceRequest | null): void {
    if (request === null || !request.arrived) return;
    request.arrived = false;
    request.held = false;
    for (const key of request.keys) this.free(key);
  }

  /** CANCEL_NEWEST and CANCEL_IN_PROGRESS: is one of the requests turned away, or whom does it push out? */
  judgeCancelling(requests: readonly ModelPlaceRequest[]): {
    refused: ModelPlaceRequest | null;
    pushedOut: ModelPlaceRequest[];
  } {
    const pushedOut: ModelPlaceRequest[] = [];
    for (const request of requests) {
      for (const key of request.keys) {
        const members = this.members(key);
        if (key.maxRuns === 0 || members.length < key.maxRuns) continue;
        if (key.strategy === 'CANCEL_NEWEST') return { refused: request, pushedOut: [] };
        if (key.strategy !== 'CANCEL_IN_PROGRESS') continue;
        const stay = [...members, request]
          .sort((a, b) => b.priority - a.priority || b.order - a.order)
          .slice(0, key.maxRuns);
        if (!stay.includes(request)) return { refused: request, pushedOut: [] };
        pushedOut.push(
          ...members
            .filter((each) => !stay.includes(each))
            .sort((a, b) => b.priority - a.priority || b.order - a.order),
        );
      }
    }
    return { refused: null, pushedOut };
  }

  /** CANCEL_QUEUED_EXCEPT_*: of those that wait for the key, who does not stay? */
  surplus(key: ModelKey): ModelPlaceRequest[] {
    if (key.maxRuns === 0 || !key.strategy.startsWith('CANCEL_QUEUED_EXCEPT')) return [];
    const waiting = this.members(key)
      .filter((each) => !each.held)
      .sort((a, b) => a.order - b.order);
    return key.strategy.endsWith('NEWEST') ? waiting.slice(0, -1) : waiting.slice(1);
  }
}

function linkName(link: ConcurrencyDemand): string {
  return `${link.strategyId} ${link.key}`;
}

export function rank(task: ModelTask): number {
  return task.first ? 0 : 4 - task.run.priority;
}

export function byRank(a: ModelTask, b: ModelTask): number {
  return rank(a) - rank(b) || a.turn - b.turn;
}
