import { LiveFlag, LiveState } from '../../engine/model/task/live-state.ts';
import { isRunTransition, statusAfter } from '../../engine/model/task/transition.ts';
import type { ResultRow } from '../../engine/model/stored-rows.ts';
import type { ShardState } from '../../engine/plan/state/shard-state.ts';
import type { Stored } from './stored.ts';

/** Memory, and what is stored of it. */
interface World {
  readonly state: ShardState;
  readonly stored: Stored;
  readonly nowUs: number;
  /** Places that a group may keep after its limit was lowered. */
  readonly loosestMaxRuns: number;
}

/** The invariants that hold between transactions that left nothing for others; the name of the first that does not, or undefined. */
export function brokenInvariant(world: World): string | undefined {
  const { state } = world;
  const { tasks } = state;
  if (tasks.size !== world.stored.live.size) return `memory has ${tasks.size} tasks, live ${world.stored.live.size}`;
  const used = new Map<string, number>();
  for (const row of tasks.rows()) {
    const id = tasks.id(row);
    const live = tasks.state[row];
    const flags = tasks.flags[row] ?? 0;
    if (!world.stored.live.has(id)) return `${id} is in memory alone`;
    const hasResult = world.stored.results.has(`${id}/${tasks.generation[row]}`);
    if (hasResult !== ((flags & LiveFlag.Ended) !== 0))
      return `${id} has ${hasResult ? 'a' : 'no'} result but its flags are ${flags}`;
    if (
      (tasks.rank[row] !== 255) !==
      (live === LiveState.Ready || live === LiveState.RateLimited || live === LiveState.Batching)
    )
      return `${id} in state ${live} has rank ${tasks.rank[row]}`;
    const timed =
      live === LiveState.Ready ||
      live === LiveState.RateLimited ||
      live === LiveState.Batching ||
      live === LiveState.Delayed ||
      live === LiveState.Running;
    const mayBeTimed = live === LiveState.Gated || live === LiveState.Evicted || (flags & LiveFlag.Restored) !== 0;
    if (!mayBeTimed && ((tasks.dueUs[row] ?? 0) !== 0) !== timed)
      return `${id} in state ${live} is due at ${tasks.dueUs[row]}`;
    const worker = state.workerOf(row);
    if ((worker !== undefined) !== (live === LiveState.Running || live === LiveState.Cancelling))
      return `${id} in state ${live} has worker ${worker?.id}`;
    if (worker !== undefined && !worker.tasks.has(row)) return `${id} is not among its worker's tasks`;
    const batch = state.batches.ofRow.get(row);
    if ((batch !== undefined) !== (worker !== undefined && state.stepOf(row).definition.batch !== null))
      return `${id} in state ${live} is in batch ${batch?.id}`;
    const takesSlots = batch === undefined || [...batch.rows][0] === row;
    if (worker !== undefined && takesSlots && (flags & LiveFlag.SlotReleased) === 0)
      used.set(worker.id, (used.get(worker.id) ?? 0) + (state.stepOf(row).definition.slots['default'] ?? 0));
    if (live === LiveState.Gated && (state.runOf(row)?.unfinished ?? 0) === 0) return `${id} waits in an ended run`;
  }
  for (const worker of state.workersById.values()) {
    const slots = worker.used.get('default') ?? 0;
    if (slots !== (used.get(worker.id) ?? 0))
      return `worker ${worker.id} counts ${slots} slots, holds ${used.get(worker.id) ?? 0}`;
    if (slots > (worker.slots.get('default') ?? 0)) return `worker ${worker.id} is over its capacity`;
  }
  if (world.stored.waits.size !== state.waits.size)
    return `memory has ${state.waits.size} waits, the table ${world.stored.waits.size}`;
  return groupsBroken(world) ?? batchesBroken(world) ?? journalBroken(world);
}

/** Places: as many as are counted, held by unfinished tasks alone, and nobody waits for one that is free. */
function groupsBroken(world: World): string | undefined {
  const { state } = world;
  const requests = new Set(
    [...state.extras.entries()]
      .flatMap(([, { runRequest, taskRequest }]) => [runRequest, taskRequest])
      .filter((request) => request !== null),
  );
  for (const [row] of state.extras.entries())
    if (state.tasks.alive[row] !== 1) return `row ${row} is gone but has extras`;
  for (const group of state.groups.values()) {
    const naming = [...requests].filter((request) => request.groups.includes(group));
    if (group.requests !== naming.length)
      return `group ${group.id} counts ${group.requests} requests, ${naming.length} name it`;
    const held = naming.filter((request) => request.held).length;
    if (group.held !== held) return `group ${group.id} counts ${group.held} places, ${held} are held`;
    if (group.held > Math.max(group.maxRuns, world.loosestMaxRuns))
      return `group ${group.id} holds ${group.held} of ${group.maxRuns}`;
    if (naming.some((request) => request.arrived !== group.members.has(request)))
      return `the members of group ${group.id} are not those that arrived`;
    if (!group.isFull && group.waiting.length > 0)
      return `${group.waiting.length} wait in group ${group.id}, which has room`;
  }
  if (state.hasMore) return 'a batch left something unsettled behind';
  for (const request of requests)
    for (const group of request.groups)
      if (state.groups.get(group.id) !== group) return `a request names a group that is forgotten: ${group.id}`;
  return undefined;
}

/** Batches: no more of a key than may run, each on one worker, and every buffer as full as it counts. */
function batchesBroken(world: World): string | undefined {
  const { state } = world;
  const { tasks, batches } = state;
  const gathering = [...tasks.rows()].filter((row) => tasks.state[row] === LiveState.Batching);
  let counted = 0;
  for (const group of batches.groups.values()) {
    for (const batch of group.running) {
      const rows = [...batch.rows];
      if (rows.length === 0 || new Set(rows.map((row) => tasks.worker[row])).size !== 1)
        return `batch ${batch.id} has ${rows.length} members, or several workers`;
      if (rows.some((row) => batches.ofRow.get(row) !== batch)) return `a member of batch ${batch.id} is in another`;
    }
    for (const { rule, list, bytes, flushAtUs } of group.buffers.values()) {
      if (group.running.size > (rule.groupMaxRuns ?? Infinity))
        return `key ${group.id} runs ${group.running.size} batches`;
      const own = gathering.filter((row) => tasks.list[row] === list.id);
      const sum = own.reduce((total, row) => total + (state.extras.get(row)?.batchBytes ?? 0), 0);
      if (flushAtUs !== Infinity && flushAtUs > world.nowUs && batches.nextUs > flushAtUs)
        return `a buffer of ${group.id} goes at ${flushAtUs}, and nothing wakes the planner before ${batches.nextUs}`;
      if (own.length !== list.length || sum !== bytes)
        return `a buffer of ${group.id} counts ${list.length} tasks of ${bytes} bytes, not ${own.length} of ${sum}`;
      counted += own.length;
    }
  }
  if (counted !== gathering.length) return `${gathering.length} tasks gather, ${counted} in buffers`;
  const queued = [...state.queues.values()].reduce((sum, queue) => sum + queue.gathering, 0);
  return queued === counted ? undefined : `queues count ${queued} tasks that gather, not ${counted}`;
}

/** The journal of every task, replayed, gives its state. */
function journalBroken(world: World): string | undefined {
  const status = new Map<string, number | undefined>();
  for (const row of world.stored.history) {
    for (const transition of row.transitions)
      if (!isRunTransition(transition)) status.set(row.taskId, statusAfter(transition) ?? status.get(row.taskId));
  }
  for (const result of world.stored.results.values())
    if (!isOutdated(world, result) && status.get(result.taskId) !== result.status)
      return `the journal of ${result.taskId} ends in ${status.get(result.taskId)}, its result is ${result.status}`;
  return undefined;
}

/** A replay has opened a later generation of the task. */
function isOutdated(world: World, result: ResultRow): boolean {
  const row = world.state.tasks.find(result.taskId);
  return (
    (row !== undefined && (world.state.tasks.generation[row] ?? 1) > result.generation) ||
    [...world.stored.results.values()].some(
      (other) => other.taskId === result.taskId && other.generation > result.generation,
    )
  );
}
