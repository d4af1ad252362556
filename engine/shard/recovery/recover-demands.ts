import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { ChangeSet } from '../../plan/state/change-set.ts';
import type { PlaceRequest } from '../../plan/concurrency/concurrency-group.ts';
import { makePlaceRequests } from '../../plan/concurrency/make-place-requests.ts';
import { rateLimitFor } from '../../plan/rate-limits/rate-limit-table.ts';
import { awaitRefill } from '../../plan/rate-limits/wait-for-units.ts';
import { rankAfterRestart } from '../../plan/queue/task-order.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { StoredDemands } from '../../plan/state/task-extras.ts';
import type { ShardTables } from './shard-tables.ts';
import { sortInSlices } from './sort-in-slices.ts';
import type { TaskRow } from '../../plan/state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** A loaded task with what it asked for. */
export interface DemandingTask {
  row: TaskRow;
  taskId: string;
  runId: string;
  tenantId: TenantId;
  stored: StoredDemands;
  stickyWorkerId: string | null;
}

/** @throws Error for a text that is no demands */
export function storedDemands(text: string): StoredDemands {
  const stored: StoredDemands | null = JSON.parse(text);
  if (stored === null || typeof stored.order !== 'number')
    throw new Error(
      'what the task asks for is stored without its order: was this database written by a newer version?',
    );
  return stored;
}

/** Rebuilds requests for places, and groups with their places; in the order of the triggers, since the newest request sets a key's places. */
export async function restoreDemands(tables: ShardTables, tasks: readonly DemandingTask[]): Promise<void> {
  const { shard, setAside, slice } = tables;
  const runRequests = new Map<string, PlaceRequest | null>();
  const arrived: TaskRow[] = [];
  for (const task of await sortInSlices(tasks, ({ stored }) => stored.order, slice)) {
    setAside.tryTask(task, () => {
      if (restoreTask(shard, task, runRequests)) arrived.push(task.row);
    });
    shard.undo.clear();
    if (slice.isOver) await slice.pause();
  }
  for (const row of await sortInSlices(arrived, (each) => shard.tasks.seq[each] ?? 0, slice)) {
    shard.unsettled.noteArrival(shard.stepOf(row).version.tenantId, row, rankAfterRestart(shard.tasks, row));
    if (!slice.isOver) continue;
    shard.undo.clear();
    await slice.pause();
  }
}

/** @returns whether it waits for its places: it was judged when it arrived, and only stands in line again, with the next transaction */
function restoreTask(shard: ShardState, task: DemandingTask, runRequests: Map<string, PlaceRequest | null>): boolean {
  const { row } = task;
  const flags = shard.tasks.flags[row] ?? 0;
  if ((flags & LiveFlag.Ended) !== 0) return false;
  const { order, ...demands } = task.stored;
  const extras = makePlaceRequests(shard, row, {
    tenantId: task.tenantId,
    demands,
    priority: shard.tasks.priority[row] ?? 1,
    order,
    runRequest: runRequests.get(task.runId) ?? null,
  });
  extras.stickyWorkerId = task.stickyWorkerId ?? extras.stickyWorkerId;
  runRequests.set(task.runId, extras.runRequest);
  const state = shard.tasks.state[row];
  const asks = state !== LiveState.Gated && state !== LiveState.Delayed;
  restoreRequest(extras.taskRequest, { held: (flags & LiveFlag.Admitted) !== 0, arrived: asks });
  restoreRequest(extras.runRequest, { held: (flags & LiveFlag.RunAdmitted) !== 0, arrived: asks });
  if (state === LiveState.RateLimited && shard.stepOf(row).definition.batch !== null)
    restoreUnbuffered(shard, row, task.tenantId);
  return state === LiveState.Ready && (flags & LiveFlag.Admitted) === 0;
}

function restoreRequest(request: PlaceRequest | null, { held, arrived }: { held: boolean; arrived: boolean }): void {
  if (request === null) return;
  if ((held || arrived) && !request.arrived) {
    request.arrived = true;
    for (const group of request.groups) group.join(request);
  }
  if (held && !request.held) {
    request.held = true;
    for (const group of request.groups) group.give(request);
  }
}

/** A task of a batch step that left its buffer for want of units. */
function restoreUnbuffered(shard: ShardState, row: TaskRow, tenantId: TenantId): void {
  const plan = { state: shard, nowUs: shard.seenUs, changes: new ChangeSet() };
  const demands = shard.extras.get(row)?.demands.rateLimits ?? [];
  const short =
    demands.find((demand) => demand.units > rateLimitFor(plan, tenantId, demand).left(plan.nowUs)) ?? demands[0];
  if (short === undefined) throw new Error(`task ${shard.tasks.id(row)} waits for a rate limit but asks for none`);
  const limit = rateLimitFor(plan, tenantId, short);
  (short.units > limit.limit ? limit.tooLarge : limit.waiting).insert(
    row,
    rankAfterRestart(shard.tasks, row),
    shard.undo,
  );
  awaitRefill(plan, limit, { isAtOnce: true });
}
