import type { TenantId } from '../model/ids/tenant-id.ts';
import { LiveState } from '../model/task/live-state.ts';
import type { ShardState } from '../plan/state/shard-state.ts';

/** Unfinished tasks of a workflow. */
export interface Load {
  /** Ready, or waiting for a place, for units, for their batch or for their retry. */
  queued: number;
  /** At a worker, or a durable task that has left its worker while it waits. */
  running: number;
  /** Waiting for their parents or their conditions. */
  pending: number;
}

const states: Readonly<Record<keyof Load, readonly LiveState[]>> = {
  queued: [LiveState.Ready, LiveState.RateLimited, LiveState.Batching, LiveState.Delayed],
  running: [LiveState.Running, LiveState.Cancelling, LiveState.Evicted],
  pending: [LiveState.Gated],
};

/** By workflow, the unfinished tasks of a tenant, from the owner's memory; workflows that have none are left out. */
export function workflowLoads(state: ShardState, tenantId: TenantId): Map<string, Load> {
  const loads = new Map<string, Load>();
  const { counts, width } = state.tasks.countStates(state.steps.length);
  for (const [at, { version }] of state.steps.entries()) {
    if (version.tenantId !== tenantId) continue;
    const of = (kind: keyof Load): number =>
      states[kind].reduce<number>((sum, live) => sum + (counts[at * width + live] ?? 0), 0);
    const [queued, running, pending] = [of('queued'), of('running'), of('pending')];
    if (queued + running + pending === 0) continue;
    const load = loads.get(version.workflowId) ?? { queued: 0, running: 0, pending: 0 };
    loads.set(version.workflowId, load);
    load.queued += queued;
    load.running += running;
    load.pending += pending;
  }
  return loads;
}

export interface KeyUse {
  key: string;
  /** Runs or tasks that hold a place of the key, and that wait for one. */
  held: number;
  waiting: number;
}

/** The keys of a workflow's own concurrency that anything holds or waits for; those of strategies that workflows share are not its own. */
export function keysOfWorkflow(state: ShardState, workflowId: string): KeyUse[] {
  const uses = new Map<string, KeyUse>();
  for (const group of state.groups.values()) {
    if (!group.strategyId.startsWith(`${workflowId}/`)) continue;
    const use = uses.get(group.key) ?? { key: group.key, held: 0, waiting: 0 };
    uses.set(group.key, use);
    use.held += group.held;
    use.waiting += group.waiting.length;
  }
  return [...uses.values()];
}
