import { firstOf } from '../model/first-of.ts';
import { LiveState } from '../model/task/live-state.ts';
import { readStrategyId } from '../model/task/strategy-id.ts';
import type { ActionQueue } from '../plan/queue/action-queue.ts';
import type { ConcurrencyGroup } from '../plan/concurrency/concurrency-group.ts';
import type { RateLimit } from '../plan/rate-limits/rate-limit.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type {
  ConcurrencyKey,
  ListQueuesResponse,
  QueueDepth,
  RateLimitUse,
} from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Of each list; a screen shows fewer. */
const listed = 200;

const none: ListQueuesResponse = {
  rows: [],
  keys: [],
  limits: [],
  rowCount: 0,
  keyCount: 0,
  limitCount: 0,
};

/** Queues, concurrency keys and rate limits of a tenant, from the owner's memory; the worst first, so that a bounded list shows what matters. */
export function queueFigures(state: ShardState | undefined, tenantId: TenantId): ListQueuesResponse {
  if (state === undefined) return none;
  const queues = firstOf(depths(state, tenantId), listed, byLoad);
  const groups = firstOf(
    ofTenant(state.groups.values(), (group) => group.tenantId === tenantId),
    listed,
    byPressure,
  );
  const limits = firstOf(
    // A key that tasks name and nobody has put holds nothing; it matters while they wait for it.
    ofTenant(state.rateLimits.values(), (limit) => limit.tenantId === tenantId && (limit.exists || !limit.isIdle)),
    listed,
    byShortage,
  );
  const names = workflowNames(state, tenantId);
  return {
    rows: queues.rows.map((depth) => depthMessage(state, depth)),
    keys: groups.rows.map((group) => keyMessage(group, names)),
    limits: limits.rows.map(limitMessage),
    rowCount: queues.total,
    keyCount: groups.total,
    limitCount: limits.total,
  };
}

export function workflowNames(state: ShardState, tenantId: TenantId): Map<string, string> {
  return new Map(
    [...state.latest.values()]
      .filter((version) => version.tenantId === tenantId)
      .map((version) => [version.workflowId, version.definition.name]),
  );
}

function* ofTenant<T>(items: Iterable<T>, isOwn: (item: T) => boolean): Generator<T> {
  for (const item of items) if (isOwn(item)) yield item;
}

interface Depth {
  queue: ActionQueue;
  /** Ready, or waiting for units. */
  ready: number;
  /** Of batch steps, waiting for units: out of their buffers. */
  unbuffered: number;
  running: number;
  delayed: number;
  gathering: number;
}

function depths(state: ShardState, tenantId: TenantId): Iterable<Depth> {
  const byQueue = new Map<ActionQueue, Depth>();
  for (const queue of state.queues.values())
    if (queue.tenantId === tenantId)
      byQueue.set(queue, { queue, ready: 0, unbuffered: 0, running: 0, delayed: 0, gathering: 0 });
  const { counts, width } = state.tasks.countStates(state.steps.length);
  for (const [at, { queue, definition }] of state.steps.entries()) {
    const depth = byQueue.get(queue);
    if (depth === undefined) continue;
    const of = (live: LiveState): number => counts[at * width + live] ?? 0;
    depth.ready += of(LiveState.Ready) + of(LiveState.RateLimited);
    if (definition.batch !== null) depth.unbuffered += of(LiveState.RateLimited);
    depth.running += of(LiveState.Running) + of(LiveState.Cancelling);
    depth.delayed += of(LiveState.Delayed);
    depth.gathering += of(LiveState.Batching);
  }
  return byQueue.values();
}

function depthMessage(state: ShardState, { queue, ready, unbuffered, running, delayed, gathering }: Depth): QueueDepth {
  const { oldestSeq } = queue;
  return {
    action: queue.action,
    queued: BigInt(queue.length - queue.waitingForUnits),
    running: BigInt(running),
    delayed: BigInt(delayed),
    workers: queue.workers.filter((worker) => worker.assignable && !worker.isBlocked && !worker.paused && !worker.ended)
      .length,
    oldestQueuedAt: oldestSeq === 0 ? undefined : new Date(state.timeOf(oldestSeq, state.seenUs) / 1000),
    // Those that are ready and not in the queue stand in line at a concurrency key.
    waitingForPlace: BigInt(Math.max(0, ready - unbuffered - queue.length)),
    waitingForUnits: BigInt(queue.waitingForUnits + unbuffered),
    waitingForBatch: BigInt(gathering),
  };
}

function byLoad(a: Depth, b: Depth): number {
  return load(b) - load(a) || b.running - a.running || compareText(a.queue.action, b.queue.action);
}

function load({ ready, delayed, gathering }: Depth): number {
  return ready + delayed + gathering;
}

function keyMessage(group: ConcurrencyGroup, names: ReadonlyMap<string, string>): ConcurrencyKey {
  const declared = readStrategyId(group.strategyId);
  const isShared = 'sharedName' in declared;
  return {
    key: group.key,
    workflowName: isShared ? '' : (names.get(declared.workflowId) ?? ''),
    taskName: isShared ? '' : (declared.taskName ?? ''),
    sharedName: isShared ? declared.sharedName : '',
    strategy: group.strategy,
    held: group.held,
    maxRuns: group.maxRuns,
    waiting: BigInt(group.waiting.length),
  };
}

function byPressure(a: ConcurrencyGroup, b: ConcurrencyGroup): number {
  return b.waiting.length - a.waiting.length || b.held / b.maxRuns - a.held / a.maxRuns || compareText(a.id, b.id);
}

function limitMessage(limit: RateLimit): RateLimitUse {
  return {
    key: limit.key,
    limit: BigInt(limit.limit),
    window: limit.window,
    used: BigInt(limit.used),
    refillAt: limit.windowStartUs === 0 ? undefined : new Date(limit.refillAtUs / 1000),
    waiting: BigInt(limit.waitingCount),
    tooLarge: BigInt(limit.tooLargeCount),
    isStatic: limit.isStatic,
  };
}

function byShortage(a: RateLimit, b: RateLimit): number {
  const waiting = (limit: RateLimit): number => limit.waitingCount + limit.tooLargeCount;
  return waiting(b) - waiting(a) || share(b) - share(a) || compareText(a.key, b.key);
}

function share({ used, limit }: RateLimit): number {
  return limit === 0 ? 1 : used / limit;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
