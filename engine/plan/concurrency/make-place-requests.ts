import { findGroups } from './find-groups.ts';
import type { Demands } from '../../model/task/demands.ts';
import { type ConcurrencyGroup, PlaceRequest } from './concurrency-group.ts';
import { countUse, internDemands, sweepDemands } from '../state/intern-demands.ts';
import type { ShardState } from '../state/shard-state.ts';
import { TaskExtras } from '../state/task-extras.ts';
import type { Restore } from '../state/undo-log.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface ExtrasSource {
  tenantId: TenantId;
  demands: Demands;
  priority: number;
  order: number;
  /** Of an earlier task of the same run. */
  runRequest: PlaceRequest | null;
}

/** Gives a task its requests for places and the rest of what it asks for. The groups of its keys come into being with the first request. */
export function makePlaceRequests(state: ShardState, row: TaskRow, source: ExtrasSource): TaskExtras {
  const { tenantId, demands, order, priority } = source;
  const shared = internDemands(state, tenantId, demands);
  const request = (level: 'run' | 'task'): PlaceRequest | null => {
    const groups = findGroups(state, { tenantId, shared, level, order });
    if (groups.length === 0) return null;
    refer(state, groups, 1);
    return new PlaceRequest({ level, groups, priority, order });
  };
  const extras = new TaskExtras(shared, {
    runRequest: source.runRequest ?? request('run'),
    taskRequest: request('task'),
  });
  countUse(state, shared, 1);
  enter(state, extras, row);
  state.undo.keep(entered, state, extras, row);
  return extras;
}

/** Forgets what a task asked for. Its requests must have been released. */
export function dropPlaceRequests(state: ShardState, row: TaskRow): void {
  const extras = state.extras.get(row);
  if (extras === undefined) return;
  countUse(state, extras.shared, -1);
  const { runRequest, taskRequest } = extras;
  leave(state, extras, row);
  state.undo.keep(left, state, extras, row);
  for (const request of [runRequest, taskRequest]) if (request?.isUnused === true) refer(state, request.groups, -1);
}

function enter(state: ShardState, extras: TaskExtras, row: TaskRow): void {
  state.extras.set(row, extras);
  extras.runRequest?.addRow(row);
  extras.taskRequest?.addRow(row);
}

function leave(state: ShardState, extras: TaskExtras, row: TaskRow): void {
  state.extras.delete(row);
  extras.runRequest?.deleteRow(row);
  extras.taskRequest?.deleteRow(row);
}

const entered: Restore<ShardState, TaskExtras, number> = { restore: leave };
const left: Restore<ShardState, TaskExtras, number> = { restore: enter };

function refer(state: ShardState, groups: readonly ConcurrencyGroup[], by: 1 | -1): void {
  countRequests(state, groups, by);
  state.undo.keep(referred, state, groups, by);
}

const referred: Restore<ShardState, readonly ConcurrencyGroup[], 1 | -1> = {
  restore: (state, groups, by) => countRequests(state, groups, by === 1 ? -1 : 1),
};

function countRequests(state: ShardState, groups: readonly ConcurrencyGroup[], by: 1 | -1): void {
  for (const group of groups) {
    group.requests += by;
    if (group.requests === 0) state.abandoned.add(group);
  }
}

/** Groups that no request names any more. Only after a commit: an undo may bring one back. */
export function sweepGroups(state: ShardState): void {
  sweepDemands(state);
  for (const group of state.abandoned) {
    if (group.requests > 0 || state.groups.get(group.id) !== group) continue;
    state.groups.delete(group.id);
    state.lists.drop(group.waiting);
  }
  state.abandoned.clear();
}
