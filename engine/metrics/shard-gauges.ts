import { LiveState } from '../model/task/live-state.ts';
import { readStrategyId } from '../model/task/strategy-id.ts';
import type { ConcurrencyGroup } from '../plan/concurrency/concurrency-group.ts';
import type { ActionQueue } from '../plan/queue/action-queue.ts';
import type { RateLimit } from '../plan/rate-limits/rate-limit.ts';
import { compareText, listed, wants, type Reading } from './listed.ts';
import { writeWorkers } from './worker-gauges.ts';

/** Queues, workers, rate limits and concurrency keys of a shard's tenants, as the planner's memory has them: in one pass each. */
export function writeShard(reading: Reading): void {
  writeQueues(reading);
  writeWorkers(reading);
  writeLimits(reading);
  writeGroups(reading);
}

interface Depth {
  readonly workflows: Map<string, { queued: number; running: number; delayed: number }>;
}

function writeQueues(reading: Reading): void {
  const { state, sheet, nowUs } = reading;
  const depths = new Map<ActionQueue, Depth>();
  const { counts, width } = state.tasks.countStates(state.steps.length);
  for (const [at, { queue, version }] of state.steps.entries()) {
    if (!wants(reading, queue.tenantId)) continue;
    const of = (live: LiveState): number => counts[at * width + live] ?? 0;
    const { workflows } = depths.get(queue) ?? { workflows: new Map() };
    depths.set(queue, { workflows });
    const { name } = version.definition;
    const depth = workflows.get(name) ?? { queued: 0, running: 0, delayed: 0 };
    workflows.set(name, depth);
    depth.queued += of(LiveState.Ready) + of(LiveState.RateLimited) + of(LiveState.Batching);
    depth.running += of(LiveState.Running) + of(LiveState.Cancelling);
    depth.delayed += of(LiveState.Delayed);
  }
  const load = (queue: ActionQueue): number => queue.length + queue.gathering;
  const compare = (a: ActionQueue, b: ActionQueue): number => load(b) - load(a) || compareText(a.action, b.action);
  for (const queue of listed(reading, state.queues.values(), { of: 'queues', compare })) {
    const labels = { tenant_id: queue.tenantId, queue: queue.action };
    for (const [workflow_name, { queued, running, delayed }] of depths.get(queue)?.workflows ?? []) {
      sheet.set('hatchet_tenant_queue_size', { ...labels, workflow_name }, queued);
      sheet.set('hatchet_tenant_running_tasks', { ...labels, workflow_name }, running);
      sheet.set('hatchet_tenant_delayed_tasks', { ...labels, workflow_name }, delayed);
    }
    const { oldestSeq } = queue;
    const waited = oldestSeq === 0 ? 0 : Math.max(0, nowUs - state.timeOf(oldestSeq, nowUs)) / 1e6;
    sheet.set('hatchet_tenant_queue_oldest_seconds', labels, waited);
    const takers = queue.workers.filter((each) => each.assignable && !each.isBlocked && !each.paused && !each.ended);
    sheet.set('hatchet_tenant_queue_workers', labels, takers.length);
  }
}

function writeLimits(reading: Reading): void {
  const { state, sheet, nowUs } = reading;
  const waiting = (limit: RateLimit): number => limit.waitingCount + limit.tooLargeCount;
  // A key that tasks name and nobody has put holds nothing; it matters while they wait for it.
  const shown = [...state.rateLimits.values()].filter((limit) => limit.exists || !limit.isIdle);
  const compare = (a: RateLimit, b: RateLimit): number => waiting(b) - waiting(a) || compareText(a.key, b.key);
  for (const limit of listed(reading, shown, { of: 'rate_limits', compare })) {
    const labels = { tenant_id: limit.tenantId, key: limit.key };
    sheet.set('hatchet_tenant_rate_limit_units', labels, limit.limit);
    sheet.set('hatchet_tenant_rate_limit_units_left', labels, limit.left(nowUs));
    sheet.set('hatchet_tenant_rate_limit_waiting_tasks', labels, waiting(limit));
  }
}

function writeGroups(reading: Reading): void {
  const { state, sheet } = reading;
  const compare = (a: ConcurrencyGroup, b: ConcurrencyGroup): number =>
    b.waiting.length - a.waiting.length || b.held / b.maxRuns - a.held / a.maxRuns || compareText(a.id, b.id);
  for (const group of listed(reading, state.groups.values(), { of: 'concurrency_keys', compare })) {
    const declared = readStrategyId(group.strategyId);
    const isShared = 'sharedName' in declared;
    const labels = {
      tenant_id: group.tenantId,
      workflow_name: isShared ? '' : (state.latest.ofWorkflow(declared.workflowId)?.definition.name ?? ''),
      task: isShared ? '' : (declared.taskName ?? ''),
      shared_name: isShared ? declared.sharedName : '',
      key: group.key,
    };
    sheet.set('hatchet_tenant_concurrency_places', labels, group.maxRuns);
    sheet.set('hatchet_tenant_concurrency_held_places', labels, group.held);
    sheet.set('hatchet_tenant_concurrency_waiting', labels, group.waiting.length);
  }
}
