import { createHash } from 'node:crypto';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { StreamOverviewResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

export interface EngineFacts {
  version: string;
  startedAt: Date;
}

/** Engine and worker figures, from the owner's memory. */
export function overviewOf(
  state: ShardState | undefined,
  tenantId: TenantId,
  engine: EngineFacts,
): StreamOverviewResponse {
  const queues = [...(state?.queues.values() ?? [])].filter((queue) => queue.tenantId === tenantId);
  const all = [...(state?.workersById.values() ?? [])].filter((worker) => worker.tenantId === tenantId);
  const workers = all.filter((worker) => worker.assignable && !worker.ended);
  return {
    engineVersion: engine.version,
    engineStartedAt: engine.startedAt,
    queued: BigInt(
      sum(queues.map((queue) => queue.length + queue.gathering)) + (state === undefined ? 0 : heldUp(state, tenantId)),
    ),
    running: BigInt(sum(all.map((worker) => worker.tasks.size))),
    triggered: BigInt(state?.counts.triggered ?? 0),
    finished: BigInt(state?.counts.finished ?? 0),
    workers: workers.length,
    slotsTotal: sum(workers.flatMap((worker) => [...worker.slots.values()])),
    slotsUsed: sum(workers.flatMap((worker) => [...worker.used.values()])),
    workflowsRevision: digest(workflowFacts(state, tenantId)),
    workersRevision: digest(workers.map((worker) => `${worker.id} ${worker.paused} ${worker.isBlocked}`)),
  };
}

/** Tasks that are ready, but in no queue: they wait for a place, or left their batch's buffer for want of units. */
function heldUp(state: ShardState, tenantId: TenantId): number {
  let count = 0;
  for (const group of state.groups.values())
    if (group.waiting.length > 0 && group.tenantId === tenantId) count += group.waiting.length;
  for (const limit of state.rateLimits.values())
    if (limit.tenantId === tenantId) count += limit.waiting.length + limit.tooLarge.length;
  return count;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The newest versions, and what is paused. */
function workflowFacts(state: ShardState | undefined, tenantId: TenantId): string[] {
  const own = [...(state?.latest.values() ?? [])].filter((version) => version.tenantId === tenantId);
  return own.map((version) => `${version.versionId} ${state?.workflows.get(version.workflowId)?.paused === true}`);
}

function digest(facts: readonly string[]): string {
  return createHash('sha1').update(facts.join('\n')).digest('base64url').slice(0, 12);
}
