import { shardOf } from '../model/ids/shard-of.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';
import type { HistoryRow, ResultRow } from '../model/stored-rows.ts';
import type { Effect } from '../model/task/effect.ts';
import { LiveState } from '../model/task/live-state.ts';
import { wants, type Reading } from './listed.ts';

/** Keys that are counted begin with it, as with Hatchet. */
const prefix = 'prom_';
/** Pairs of a key and a value with series of their own, of a tenant. */
const mostPairs = 100;
const longestValue = 128;
/** Unfinished tasks whose pairs are known, of all tenants: some 200 bytes each. */
export const mostTasks = 200_000;

interface Pair {
  readonly key: string;
  readonly value: string;
}

/** A scalar as it is written in a label. Lists and objects make no series. */
function pairOf(key: string, value: unknown): Pair | undefined {
  if (!key.startsWith(prefix)) return undefined;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const text = String(value);
  return text.length > longestValue ? undefined : { key, value: text };
}

interface TenantTasks {
  readonly pairs: Map<string, readonly Pair[]>;
  /** Tasks that were over the bound when they came. */
  leftOut: number;
}

interface Count {
  readonly queue: string;
  readonly pair: Pair;
  count: number;
}

/**
 * Which unfinished tasks have metadata that is counted. A run whose metadata names no such key costs a search in its text. Of tasks
 * that were made before metrics were on, or by another engine, and of those that are replayed, the metadata is read from Postgres.
 */
export class MetadataKeys {
  readonly #tenants = new Map<TenantId, TenantTasks>();
  readonly #byTask = new Map<string, TenantTasks>();

  /** @returns tasks that are to be read from Postgres: they have a new generation */
  committed(effects: readonly Effect[], history: readonly HistoryRow[], results: readonly ResultRow[]): string[] {
    const byRun = new Map<string, readonly Pair[]>();
    for (const effect of effects) {
      if (effect.kind !== 'runCreated' || !effect.metadata.includes(prefix)) continue;
      const pairs = readPairs(effect.metadata);
      if (pairs.length > 0) byRun.set(effect.runId, pairs);
    }
    const replayed: string[] = [];
    for (const { runId, taskId, tenantId, transitions } of history) {
      if (transitions.includes('RETRIED_BY_USER')) replayed.push(taskId);
      if (byRun.size === 0) continue;
      const pairs = byRun.get(runId);
      if (pairs !== undefined && transitions.includes('CREATED')) this.#add(taskId, tenantId, pairs);
    }
    if (this.size > 0)
      for (const { taskId } of results) {
        this.#byTask.get(taskId)?.pairs.delete(taskId);
        this.#byTask.delete(taskId);
      }
    return replayed;
  }

  /** @param metadata JSON */
  addStored(taskId: string, tenantId: TenantId, metadata: string): void {
    const pairs = readPairs(metadata);
    if (pairs.length > 0) this.#add(taskId, tenantId, pairs);
  }

  /** Other engines have its tasks, or it is deleted. */
  forget(tenantId: TenantId): void {
    for (const taskId of this.#tenants.get(tenantId)?.pairs.keys() ?? []) this.#byTask.delete(taskId);
    this.#tenants.delete(tenantId);
  }

  /** Tasks whose metadata is known. */
  get size(): number {
    return this.#byTask.size;
  }

  get tenants(): Iterable<TenantId> {
    return this.#tenants.keys();
  }

  #add(taskId: string, tenantId: TenantId, pairs: readonly Pair[]): void {
    const tenant = this.#tenants.get(tenantId) ?? { pairs: new Map(), leftOut: 0 };
    this.#tenants.set(tenantId, tenant);
    if (this.size >= mostTasks) {
      tenant.leftOut++;
      return;
    }
    this.#byTask.set(taskId, tenant);
    tenant.pairs.set(taskId, pairs);
  }

  /** Queued tasks by queue and pair: of a tenant the pairs that most tasks have, as many as the bound allows. */
  write(reading: Reading): void {
    for (const [tenant_id, { pairs, leftOut }] of this.#tenants) {
      if (shardOf(tenant_id) !== reading.state.id || !wants(reading, tenant_id)) continue;
      const counts = new Map<string, Count>();
      for (const [taskId, own] of pairs) count(reading, { taskId, pairs: own, counts });
      const most = [...counts.values()].toSorted((a, b) => b.count - a.count);
      for (const { queue, pair, count: tasks } of most.slice(0, mostPairs))
        reading.sheet.set('hatchet_tenant_additional_metadata_queue_size', { tenant_id, queue, ...pair }, tasks);
      const over = Math.max(0, most.length - mostPairs);
      reading.sheet.set('hatchet_tenant_series_left_out', { tenant_id, of: 'metadata' }, over);
      reading.sheet.set('hatchet_tenant_metadata_tasks_left_out_total', { tenant_id }, leftOut);
    }
  }
}

function count(
  { state }: Reading,
  { taskId, pairs, counts }: { taskId: string; pairs: readonly Pair[]; counts: Map<string, Count> },
): void {
  const row = state.tasks.find(taskId);
  if (row === undefined || !isQueued(state.tasks.state[row])) return;
  const queue = state.stepOf(row).queue.action;
  for (const pair of pairs) {
    const id = `${queue}\0${pair.key}\0${pair.value}`;
    const known = counts.get(id) ?? { queue, pair, count: 0 };
    counts.set(id, known);
    known.count++;
  }
}

function isQueued(state: number | undefined): boolean {
  return state === LiveState.Ready || state === LiveState.RateLimited || state === LiveState.Batching;
}

function readPairs(metadata: string): Pair[] {
  const parsed: unknown = JSON.parse(metadata);
  if (typeof parsed !== 'object' || parsed === null) return [];
  return Object.entries(parsed).flatMap(([key, value]) => pairOf(key, value) ?? []);
}
