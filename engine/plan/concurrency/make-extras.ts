import type { ConcurrencyDemand, Demands } from '../../model/demands.ts';
import { Claim, ConcurrencyGroup } from './concurrency-group.ts';
import type { ShardState } from '../state/shard-state.ts';
import type { TaskExtras } from '../state/task-extras.ts';

export interface ClaimSource {
  tenantId: string;
  demands: Demands;
  priority: number;
  order: number;
  /** Of an earlier task of the same run. */
  runClaim: Claim | null;
}

/** Gives a task its claims and the rest of what it asks for. The groups of its keys come into being with the first claim. */
export function makeExtras(state: ShardState, row: number, source: ClaimSource): TaskExtras {
  const { demands, order, priority } = source;
  const groupsOf = (level: 'run' | 'task'): ConcurrencyGroup[] =>
    demands.concurrency
      .filter((link) => link.level === level)
      .map((link) => groupFor(state, source.tenantId, link, order));
  const claim = (level: 'run' | 'task'): Claim | null => {
    const groups = groupsOf(level);
    if (groups.length === 0) return null;
    refer(state, groups, 1);
    return new Claim({ level, groups, priority, order });
  };
  const runClaim = source.runClaim ?? claim('run');
  const taskClaim = claim('task');
  const ringKey = demands.concurrency.findLast((link) => link.strategy === 'GROUP_ROUND_ROBIN')?.key ?? '';
  const extras: TaskExtras = {
    demands,
    order,
    runClaim,
    taskClaim,
    ringKey,
    stickyWorkerId: demands.desiredWorkerId,
    batchBytes: 0,
    gatheredUs: 0,
  };
  for (const each of [runClaim, taskClaim]) each?.rows.add(row);
  state.extras.set(row, extras);
  state.undo.record(() => {
    state.extras.delete(row);
    for (const each of [runClaim, taskClaim]) each?.rows.delete(row);
  });
  return extras;
}

/** Forgets what a task asked for. Its claims must have been released. */
export function dropExtras(state: ShardState, row: number): void {
  const extras = state.extras.get(row);
  if (extras === undefined) return;
  const { runClaim, taskClaim } = extras;
  state.extras.delete(row);
  for (const claim of [runClaim, taskClaim]) claim?.rows.delete(row);
  state.undo.record(() => {
    state.extras.set(row, extras);
    for (const claim of [runClaim, taskClaim]) claim?.rows.add(row);
  });
  for (const claim of [runClaim, taskClaim]) if (claim?.rows.size === 0) refer(state, claim.groups, -1);
}

function refer(state: ShardState, groups: readonly ConcurrencyGroup[], by: 1 | -1): void {
  for (const group of groups) {
    group.claims += by;
    if (group.claims === 0) state.abandoned.add(group);
  }
  state.undo.record(() => {
    for (const group of groups) {
      group.claims -= by;
      if (group.claims === 0) state.abandoned.add(group);
    }
  });
}

function groupFor(state: ShardState, tenantId: string, link: ConcurrencyDemand, order: number): ConcurrencyGroup {
  const id = `${tenantId} ${link.strategyId} ${link.key}`;
  const known = state.groups.get(id);
  if (known === undefined) {
    const group = new ConcurrencyGroup({
      id,
      key: link.key,
      strategy: link.strategy,
      maxRuns: link.maxRuns,
      maxRunsFrom: order,
      waiting: state.lists.create(),
    });
    state.groups.set(id, group);
    return group;
  }
  if (order < known.maxRunsFrom) return known;
  const { maxRuns, maxRunsFrom, strategy } = known;
  known.maxRuns = link.maxRuns;
  known.maxRunsFrom = order;
  known.strategy = link.strategy;
  if (link.maxRuns > maxRuns) state.freed.add(known);
  state.undo.record(() => Object.assign(known, { maxRuns, maxRunsFrom, strategy }));
  return known;
}

/** Groups that no claim names any more. Only after a commit: an undo may bring one back. */
export function sweepGroups(state: ShardState): void {
  for (const group of state.abandoned) {
    if (group.claims > 0 || state.groups.get(group.id) !== group) continue;
    state.groups.delete(group.id);
    state.lists.drop(group.waiting);
  }
  state.abandoned.clear();
}
