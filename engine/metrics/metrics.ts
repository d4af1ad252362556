import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import type { Logger } from '../base/log.ts';
import { shardOf } from '../model/ids/shard-of.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';
import type { HistoryRow, ResultRow } from '../model/stored-rows.ts';
import type { Effect } from '../model/task/effect.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { CommitCounts } from './commit-counts.ts';
import { MetadataKeys, mostTasks } from './metadata-keys.ts';
import { processMetrics } from './process-metrics.ts';
import { Sheet } from './sheet.ts';
import { writeShard } from './shard-gauges.ts';
import { readMetadataOfShards, readMetadataOfTasks } from './stored-metadata.ts';
import { writeAllTasks, writeTenantTasks } from './task-series.ts';
import { TaskTally } from './task-tally.ts';

/** As Prometheus's text format is told of. */
export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE;

/** What metrics read of the owner. */
export interface MeteredOwner {
  readonly states: Iterable<ShardState>;
  readonly waiting: number;
  readonly leaseAgeMs: number;
  readonly nowUs: number;
  stateOf(tenantId: TenantId): ShardState | undefined;
}

export interface MetricsOptions {
  readonly owner: () => MeteredOwner;
  readonly pools: Readonly<Record<string, Pool>>;
  readonly reads: Pool;
  readonly version: string;
  readonly isEdge: boolean;
  /** From the start on; else from when they are first asked for. */
  readonly isOn: boolean;
  readonly log: Logger;
}

/**
 * What an engine tells Prometheus. Gauges are read from memory when somebody asks. Counters and histograms are counted from what
 * each committed transaction says, once metrics are on: with a port for them, or after a tenant has asked for its own
 * (docs/adr/0063-metrics.md).
 */
export class Metrics {
  readonly commits = new CommitCounts();
  readonly #options: MetricsOptions;
  readonly #tally = new TaskTally();
  readonly #metadata = new MetadataKeys();
  #isOn = false;

  constructor(options: MetricsOptions) {
    this.#options = options;
    if (options.isOn) this.#turnOn();
  }

  /** A transaction is stored. */
  committed(effects: readonly Effect[], history: readonly HistoryRow[], results: readonly ResultRow[]): void {
    if (!this.#isOn) return;
    this.#tally.committed(history, results);
    const replayed = this.#metadata.committed(effects, history, results);
    if (replayed.length > 0) this.#readMetadata(() => readMetadataOfTasks(this.#options.reads, replayed));
  }

  /** These shards are served from now on. */
  recovered(states: readonly ShardState[]): void {
    if (!this.#isOn || states.length === 0) return;
    const shards = states.map((state) => state.id);
    this.#readMetadata(() => readMetadataOfShards(this.#options.reads, shards, mostTasks));
  }

  /** Some shards are not this engine's any more. What is counted stays; what has begun there ends elsewhere. */
  lost(): void {
    this.#tally.forgetOpen();
    const served = new Set([...this.#options.owner().states].map((state) => state.id));
    for (const tenantId of this.#metadata.tenants) if (!served.has(shardOf(tenantId))) this.#metadata.forget(tenantId);
  }

  /** Of the engine, its process and all tenants that it serves. */
  async ofEngine(): Promise<string> {
    const { pools, version, isEdge } = this.#options;
    const owner = this.#options.owner();
    this.#turnOn();
    this.#forgetClosed();
    const sheet = new Sheet();
    const states = [...owner.states];
    sheet.set('hatchet_engine_info', { version, role: isEdge ? 'edge' : 'engine' }, 1);
    for (const [pool, { totalCount, idleCount, waitingCount }] of Object.entries(pools)) {
      sheet.set('hatchet_postgres_pool_connections', { pool, state: 'used' }, totalCount - idleCount);
      sheet.set('hatchet_postgres_pool_connections', { pool, state: 'idle' }, idleCount);
      sheet.set('hatchet_postgres_pool_connections', { pool, state: 'waiting' }, waitingCount);
    }
    if (!isEdge) {
      sheet.set('hatchet_shards', {}, states.length);
      sheet.set('hatchet_waiting_commands', {}, owner.waiting);
      sheet.set('hatchet_lease_age_seconds', {}, owner.leaseAgeMs / 1000);
      this.commits.write(sheet);
      writeAllTasks(sheet, this.#tally);
    }
    for (const [tenantId, tally] of this.#tally.tenants) writeTenantTasks(sheet, tenantId, tally);
    for (const state of states) this.#writeState({ sheet, state, nowUs: owner.nowUs, tenantId: null });
    return `${await processMetrics().metrics()}\n${await sheet.text()}`;
  }

  /** Of a tenant alone. */
  ofTenant(tenantId: TenantId): Promise<string> {
    const owner = this.#options.owner();
    this.#turnOn();
    const sheet = new Sheet();
    const tally = this.#tally.tenants.get(tenantId);
    if (tally !== undefined) writeTenantTasks(sheet, tenantId, tally);
    const state = owner.stateOf(tenantId);
    if (state !== undefined) this.#writeState({ sheet, state, nowUs: owner.nowUs, tenantId });
    return sheet.text();
  }

  #writeState(reading: { sheet: Sheet; state: ShardState; nowUs: number; tenantId: TenantId | null }): void {
    writeShard(reading);
    this.#metadata.write(reading);
  }

  #turnOn(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.commits.isOn = true;
    processMetrics();
    if (!this.#options.isOn) this.recovered([...this.#options.owner().states]);
  }

  /** Tenants that are being deleted have no series any more. */
  #forgetClosed(): void {
    for (const { closedTenants } of this.#options.owner().states)
      for (const tenantId of closedTenants) {
        this.#tally.tenants.delete(tenantId);
        this.#metadata.forget(tenantId);
      }
  }

  #readMetadata(read: () => ReturnType<typeof readMetadataOfTasks>): void {
    read()
      .then((rows) => {
        for (const { task_id, tenant_id, metadata } of rows) this.#metadata.addStored(task_id, tenant_id, metadata);
      })
      .catch((error: unknown) =>
        this.#options.log.warn({ err: error }, 'metadata of queued tasks could not be read for metrics'),
      );
  }
}
