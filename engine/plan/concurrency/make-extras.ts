import type { Demands } from '../../model/demands.ts';
import { Claim, type ConcurrencyGroup } from './concurrency-group.ts';
import { countUse, groupsFor, shareDemands, sweepDemands } from './share-demands.ts';
import type { ShardState } from '../state/shard-state.ts';
import { TaskExtras } from '../state/task-extras.ts';

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
  const { tenantId, demands, order, priority } = source;
  const shared = shareDemands(state, tenantId, demands);
  const claim = (level: 'run' | 'task'): Claim | null => {
    const groups = groupsFor(state, { tenantId, shared, level, order });
    if (groups.length === 0) return null;
    refer(state, groups, 1);
    return new Claim({ level, groups, priority, order });
  };
  const extras = new TaskExtras(shared, { runClaim: source.runClaim ?? claim('run'), taskClaim: claim('task') });
  const { runClaim, taskClaim } = extras;
  countUse(state, shared, 1);
  for (const each of [runClaim, taskClaim]) each?.addRow(row);
  state.extras.set(row, extras);
  state.undo.record(() => {
    state.extras.delete(row);
    for (const each of [runClaim, taskClaim]) each?.deleteRow(row);
  });
  return extras;
}

/** Forgets what a task asked for. Its claims must have been released. */
export function dropExtras(state: ShardState, row: number): void {
  const extras = state.extras.get(row);
  if (extras === undefined) return;
  countUse(state, extras.shared, -1);
  const { runClaim, taskClaim } = extras;
  state.extras.delete(row);
  for (const claim of [runClaim, taskClaim]) claim?.deleteRow(row);
  state.undo.record(() => {
    state.extras.set(row, extras);
    for (const claim of [runClaim, taskClaim]) claim?.addRow(row);
  });
  for (const claim of [runClaim, taskClaim]) if (claim?.isUnused === true) refer(state, claim.groups, -1);
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

/** Groups that no claim names any more. Only after a commit: an undo may bring one back. */
export function sweepGroups(state: ShardState): void {
  sweepDemands(state);
  for (const group of state.abandoned) {
    if (group.claims > 0 || state.groups.get(group.id) !== group) continue;
    state.groups.delete(group.id);
    state.lists.drop(group.waiting);
  }
  state.abandoned.clear();
}
