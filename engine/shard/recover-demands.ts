import type { ClientBase } from 'pg';
import { rateLimitWindows, type RateLimitWindow } from '../model/definition.ts';
import { LiveFlag, LiveState } from '../model/live-state.ts';
import { shardOf } from '../model/shard-of.ts';
import { ChangeSet } from '../plan/state/change-set.ts';
import type { Claim } from '../plan/concurrency/concurrency-group.ts';
import { makeExtras } from '../plan/concurrency/make-extras.ts';
import { addRateLimit, rateLimitFor } from '../plan/rate-limits/rate-limits.ts';
import { awaitRefill } from '../plan/rate-limits/spend-units.ts';
import { rankOf, retryRank } from '../plan/state/ranked-list.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { StoredDemands } from '../plan/state/task-extras.ts';

/** A loaded task with what it asked for. */
export interface DemandingTask {
  shard: ShardState;
  row: number;
  runId: string;
  tenantId: string;
  demands: string;
  stickyWorkerId: string | null;
}

interface RateLimitSqlRow {
  tenant_id: string;
  key: string;
  size: string;
  period: string;
  window_size: string;
  window_start_us: string;
  used: string;
  is_static: boolean;
}

const readRateLimits = `SELECT tenant_id, key, size, period, window_size, window_start_us, used, is_static FROM rate_limit`;
const readFilters = `SELECT id, tenant_id, workflow_id, scope, expression, payload, is_declared FROM filter`;
const readPaused = `SELECT id, tenant_id FROM workflow WHERE paused`;

export async function loadRateLimits(client: ClientBase, shards: ReadonlyMap<number, ShardState>): Promise<void> {
  const { rows } = await client.query<RateLimitSqlRow>(readRateLimits);
  for (const row of rows) {
    const shard = shards.get(shardOf(row.tenant_id));
    if (shard === undefined) continue;
    addRateLimit(shard, {
      tenantId: row.tenant_id,
      key: row.key,
      limit: Number(row.size),
      window: windowOf(row.period),
      windowLimit: Number(row.window_size),
      windowStartUs: Number(row.window_start_us),
      used: Number(row.used),
      isStatic: row.is_static,
    });
  }
}

function windowOf(text: string): RateLimitWindow {
  const window = rateLimitWindows.find((each) => each === text);
  if (window === undefined)
    throw new Error(`a rate limit has the unknown window ${text}: was this database written by a newer version?`);
  return window;
}

export async function loadFilters(client: ClientBase, shards: ReadonlyMap<number, ShardState>): Promise<void> {
  const { rows } = await client.query<{
    id: string;
    tenant_id: string;
    workflow_id: string;
    scope: string;
    expression: string;
    payload: string;
    is_declared: boolean;
  }>(readFilters);
  for (const row of rows) {
    const { id, scope, expression, payload } = row;
    shards.get(shardOf(row.tenant_id))?.addFilter({
      id,
      tenantId: row.tenant_id,
      workflowId: row.workflow_id,
      scope,
      expression,
      payload,
      isDeclared: row.is_declared,
    });
  }
}

export async function loadPaused(client: ClientBase, shards: ReadonlyMap<number, ShardState>): Promise<void> {
  const { rows } = await client.query<{ id: string; tenant_id: string }>(readPaused);
  for (const row of rows) {
    const shard = shards.get(shardOf(row.tenant_id));
    if (shard !== undefined) shard.workflowState(row.id).paused = true;
  }
}

export function parseDemands(text: string): StoredDemands {
  const stored: StoredDemands = JSON.parse(text);
  return stored;
}

/** Rebuilds claims, groups and their places; in the order of the triggers, since the newest claim sets a key's places. */
export function restoreDemands(tasks: readonly DemandingTask[]): void {
  const parsed = tasks
    .map((task) => ({ task, stored: parseDemands(task.demands) }))
    .sort((a, b) => a.stored.order - b.stored.order);
  const runClaims = new Map<string, Claim | null>();
  const arrivals: { shard: ShardState; row: number }[] = [];
  for (const { task, stored } of parsed) {
    const { shard, row } = task;
    const flags = shard.tasks.flags[row] ?? 0;
    if ((flags & LiveFlag.Ended) !== 0) continue;
    const { order, ...demands } = stored;
    const extras = makeExtras(shard, row, {
      tenantId: task.tenantId,
      demands,
      priority: shard.tasks.priority[row] ?? 1,
      order,
      runClaim: runClaims.get(task.runId) ?? null,
    });
    extras.stickyWorkerId = task.stickyWorkerId ?? extras.stickyWorkerId;
    runClaims.set(task.runId, extras.runClaim);
    const state = shard.tasks.state[row];
    const asks = state !== LiveState.Gated && state !== LiveState.Delayed;
    restoreClaim(extras.taskClaim, { held: (flags & LiveFlag.Admitted) !== 0, arrived: asks });
    restoreClaim(extras.runClaim, { held: (flags & LiveFlag.RunAdmitted) !== 0, arrived: asks });
    if (state === LiveState.RateLimited && shard.stepOf(row).definition.batch !== null)
      restoreUnbuffered(shard, row, task.tenantId);
    // Judged when it arrived: it only stands in line again, with the next batch.
    if (state === LiveState.Ready && (flags & LiveFlag.Admitted) === 0) arrivals.push({ shard, row });
  }
  arrivals.sort((a, b) => (a.shard.tasks.seq[a.row] ?? 0) - (b.shard.tasks.seq[b.row] ?? 0));
  for (const { shard, row } of arrivals) shard.noteArrival(row, rankAfterRestart(shard, row));
}

function restoreClaim(claim: Claim | null, { held, arrived }: { held: boolean; arrived: boolean }): void {
  if (claim === null) return;
  if ((held || arrived) && !claim.arrived) {
    claim.arrived = true;
    for (const group of claim.groups) group.join(claim);
  }
  if (held && !claim.held) {
    claim.held = true;
    for (const group of claim.groups) group.give(claim);
  }
}

/** A task of a batch step that left its buffer for want of units. */
function restoreUnbuffered(shard: ShardState, row: number, tenantId: string): void {
  const plan = { state: shard, nowUs: shard.seq, changes: new ChangeSet() };
  const demands = shard.extras.get(row)?.demands.rateLimits ?? [];
  const short =
    demands.find((demand) => demand.units > rateLimitFor(plan, tenantId, demand).left(plan.nowUs)) ?? demands[0];
  if (short === undefined) throw new Error(`task ${shard.tasks.id(row)} waits for a rate limit but asks for none`);
  const limit = rateLimitFor(plan, tenantId, short);
  (short.units > limit.limit ? limit.tooLarge : limit.waiting).insert(row, rankAfterRestart(shard, row), shard.undo);
  awaitRefill(plan, limit, { isAtOnce: true });
}

/** A retried, reassigned or restored task went ahead of the others, and does so again. Not by its attempt: a replay goes on counting, but stands in line. */
export function rankAfterRestart({ tasks }: ShardState, row: number): number {
  return (tasks.retries[row] ?? 0) +
    (tasks.reassigns[row] ?? 0) +
    (tasks.deaths[row] ?? 0) +
    (tasks.unanswered[row] ?? 0) >
    0 || ((tasks.flags[row] ?? 0) & LiveFlag.Restored) !== 0
    ? retryRank
    : rankOf(tasks.priority[row] ?? 1);
}
