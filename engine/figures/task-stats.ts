import { firstOf } from '../model/first-of.ts';
import type { ConcurrencyStrategy } from '../model/definition.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';
import { LiveState } from '../model/task/live-state.ts';
import { readStrategyId } from '../model/task/strategy-id.ts';
import type { ConcurrencyGroup } from '../plan/concurrency/concurrency-group.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { Step } from '../plan/state/workflow-version.ts';

/** Keys of concurrency that all tasks together show, those with the most that wait. */
const mostKeys = 200;

/** Of one task's unfinished attempts, those that wait or those that run. */
export interface TaskFigures {
  total: number;
  /** By action. */
  queues: Map<string, number>;
  concurrency: { expression: string; strategy: ConcurrencyStrategy; keys: Map<string, number> }[];
  /** When the one that was queued first was; undefined where none is. */
  oldestUs: number | undefined;
  /** The same of those that were never tried again. */
  oldestUntriedUs: number | undefined;
}

interface TaskStats {
  queued: TaskFigures;
  running: TaskFigures;
}

const states: Readonly<Record<keyof TaskStats, readonly LiveState[]>> = {
  queued: [LiveState.Ready, LiveState.RateLimited, LiveState.Batching, LiveState.Delayed],
  running: [LiveState.Running, LiveState.Cancelling],
};
const kinds = ['queued', 'running'] as const;

/** By their names, a tenant's tasks that wait or run, from the owner's memory, and those that are asked for even where they do neither. */
export function taskStats(state: ShardState, tenantId: TenantId, names: readonly string[]): Map<string, TaskStats> {
  const stats = new Map<string, TaskStats>(names.map((name) => [name, none()]));
  const own = [...state.steps.entries()].filter(([, { version }]) => version.tenantId === tenantId);
  const { counts, width } = state.tasks.countStates(state.steps.length);
  const { all, untried } = state.tasks.oldestSeqs(state.steps.length);
  const timeOf = (seq: number): number => state.timeOf(seq, state.seenUs);
  for (const [at, { definition }] of own) {
    for (const kind of kinds) {
      const total = states[kind].reduce<number>((sum, live) => sum + (counts[at * width + live] ?? 0), 0);
      if (total === 0) continue;
      const figures = statsOf(stats, definition.name)[kind];
      figures.total += total;
      figures.queues.set(definition.action, (figures.queues.get(definition.action) ?? 0) + total);
      const oldestOf = (seqs: Float64Array): number =>
        Math.min(...states[kind].map((live) => seqs[at * width + live] ?? Infinity));
      figures.oldestUs = earlier(figures.oldestUs, oldestOf(all), timeOf);
      figures.oldestUntriedUs = earlier(figures.oldestUntriedUs, oldestOf(untried), timeOf);
    }
  }
  addKeys(state, tenantId, stats);
  return stats;
}

function none(): TaskStats {
  const figures = (): TaskFigures => ({
    total: 0,
    queues: new Map(),
    concurrency: [],
    oldestUs: undefined,
    oldestUntriedUs: undefined,
  });
  return { queued: figures(), running: figures() };
}

function statsOf(stats: Map<string, TaskStats>, name: string): TaskStats {
  const known = stats.get(name);
  if (known !== undefined) return known;
  const made = none();
  stats.set(name, made);
  return made;
}

function earlier(before: number | undefined, seq: number, timeOf: (seq: number) => number): number | undefined {
  if (seq === Infinity) return before;
  return Math.min(before ?? Infinity, timeOf(seq));
}

/** A strategy of a workflow counts for its tasks without parents: these are what waits for its places. One that workflows share is no task's. */
function addKeys(state: ShardState, tenantId: TenantId, stats: Map<string, TaskStats>): void {
  const groups = firstOf(ofTenant(state.groups.values(), tenantId), mostKeys, byWaiting).rows;
  for (const group of groups) {
    const strategy = readStrategyId(group.strategyId);
    if ('sharedName' in strategy) continue;
    const version = state.latest.ofWorkflow(strategy.workflowId);
    if (version === undefined) continue;
    const { steps, concurrency } = version.definition;
    const named = strategy.taskName === undefined ? undefined : steps.find(({ name }) => name === strategy.taskName);
    const link = (strategy.taskName === undefined ? concurrency : (named?.concurrency ?? []))[strategy.index];
    const tasks: readonly Step['definition'][] =
      strategy.taskName === undefined
        ? steps.filter(({ parents }, index) => parents.length === 0 && index !== version.definition.onFailure)
        : named === undefined
          ? []
          : [named];
    if (link === undefined) continue;
    for (const { name } of tasks) {
      addKey(stats, { name, kind: 'queued', group, expression: link.expression, count: group.waiting.length });
      addKey(stats, { name, kind: 'running', group, expression: link.expression, count: group.held });
    }
  }
}

function addKey(
  stats: Map<string, TaskStats>,
  key: { name: string; kind: keyof TaskStats; group: ConcurrencyGroup; expression: string; count: number },
): void {
  if (key.count === 0) return;
  const figures = stats.get(key.name)?.[key.kind];
  if (figures === undefined) return;
  const { expression, group } = key;
  const known = figures.concurrency.find((each) => each.expression === expression && each.strategy === group.strategy);
  const shown = known ?? { expression, strategy: group.strategy, keys: new Map<string, number>() };
  if (known === undefined) figures.concurrency.push(shown);
  shown.keys.set(group.key, (shown.keys.get(group.key) ?? 0) + key.count);
}

function* ofTenant(groups: Iterable<ConcurrencyGroup>, tenantId: TenantId): Generator<ConcurrencyGroup> {
  for (const group of groups) if (group.tenantId === tenantId) yield group;
}

function byWaiting(a: ConcurrencyGroup, b: ConcurrencyGroup): number {
  return b.waiting.length - a.waiting.length || b.held - a.held || (a.id < b.id ? -1 : 1);
}
