import { loadRateLimits } from './recover-rate-limits.ts';
import { completeDefinition, type StoredDefinition } from '../../model/definition.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import { loadFilters } from './recover-filters.ts';
import type { ShardTables } from './shard-tables.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

interface VersionSqlRow {
  id: string;
  workflow_id: string;
  tenant_id: TenantId;
  ordinal: number;
  checksum: string;
  definition: StoredDefinition;
}

interface PauseSqlRow {
  id: string;
  paused: boolean;
  drops_crons: boolean;
  drops_schedules: boolean;
  queue_ttl_ms: string | null;
  resumed_us: string | null;
  deleted: boolean;
}

interface WorkerSqlRow {
  id: string;
  tenant_id: TenantId;
  name: string;
  actions: string[];
  slots: Record<string, number>;
  labels: Record<string, string | number>;
  runtime: Record<string, string>;
  paused: boolean;
  ended: boolean;
}

export const readVersions = `
  SELECT v.id, v.workflow_id, v.tenant_id, v.ordinal, v.checksum, v.definition
  FROM unnest($1::uuid[]) AS u (tenant_id)
  JOIN workflow w ON w.tenant_id = u.tenant_id
  JOIN workflow_version v ON v.workflow_id = w.id
  ORDER BY v.workflow_id, v.ordinal`;
export const readPauses = `
  SELECT w.id, w.paused, w.drops_crons, w.drops_schedules, w.queue_ttl_ms, w.resumed_us, w.deleted
  FROM unnest($1::uuid[]) AS u (tenant_id) JOIN workflow w ON w.tenant_id = u.tenant_id
  WHERE w.paused OR w.resumed_us IS NOT NULL OR w.deleted`;

/** Workers that may come back. Those silent for a day hold no task: what they had was reassigned. */
export const readWorkers = `
  SELECT w.id, w.tenant_id, w.name, w.actions, w.slots, w.labels, w.runtime, w.paused, false AS ended
  FROM unnest($1::uuid[]) AS u (tenant_id) JOIN worker w ON w.tenant_id = u.tenant_id
  WHERE w.ended_at IS NULL AND coalesce(w.last_heartbeat_at, w.registered_at) > now() - interval '1 day'
  ORDER BY w.id`;
export const readWorkersById = `
  SELECT w.id, w.tenant_id, w.name, w.actions, w.slots, w.labels, w.runtime, w.paused, w.ended_at IS NOT NULL AS ended
  FROM unnest($1::uuid[]) AS u (id) JOIN worker w ON w.id = u.id ORDER BY w.id`;

/** Workflows with their versions, their pauses, filters and rate limits. */
export async function loadDefinitions(tables: ShardTables): Promise<void> {
  const { client, shard, tenantIds, setAside, slice } = tables;
  const { rows } = await client.query<VersionSqlRow>(readVersions, [tenantIds]);
  for (const row of rows) {
    setAside.try('workflow version', row.id, () =>
      shard.addVersion({
        tenantId: row.tenant_id,
        workflowId: row.workflow_id,
        versionId: row.id,
        checksum: row.checksum,
        ordinal: row.ordinal,
        definition: completeDefinition(row.definition),
      }),
    );
    await slice.pause();
  }
  const pauses = await client.query<PauseSqlRow>(readPauses, [tenantIds]);
  for (const row of pauses.rows) {
    const workflow = shard.workflowState(row.id);
    workflow.paused = row.paused;
    workflow.pauseRules = {
      dropsCrons: row.drops_crons,
      dropsSchedules: row.drops_schedules,
      queueTtlMs: row.queue_ttl_ms === null ? null : Number(row.queue_ttl_ms),
    };
    workflow.resumedUs = row.resumed_us === null ? 0 : Number(row.resumed_us) + shard.lostUs;
    workflow.deleted = row.deleted;
    if (row.deleted) shard.latest.withdraw(row.id);
  }
  await loadFilters(tables);
  await loadRateLimits(tables);
}

/** All are away until their streams are back. */
export async function loadWorkers(
  { client, shard, tenantIds, setAside, slice }: ShardTables,
  nowUs: number,
): Promise<void> {
  const { rows } = await client.query<WorkerSqlRow>(readWorkers, [tenantIds]);
  for (const row of rows) {
    setAside.try('worker', row.id, () => addWorker(shard, row, nowUs));
    await slice.pause();
  }
}

/** Those that still hold tasks, however long they have been silent. */
export async function loadWorkersById(
  { client, shard, setAside }: ShardTables,
  ids: readonly string[],
  nowUs: number,
): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await client.query<WorkerSqlRow>(readWorkersById, [[...new Set(ids)]]);
  for (const row of rows) setAside.try('worker', row.id, () => addWorker(shard, row, nowUs));
}

function addWorker(shard: ShardState, row: WorkerSqlRow, nowUs: number): void {
  const worker = shard.addWorker({
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    actions: row.actions,
    slots: new Map(Object.entries(row.slots)),
    labels: new Map(Object.entries(row.labels)),
    runtime: row.runtime,
  });
  worker.paused = row.paused;
  worker.ended = row.ended;
  worker.awaySinceUs = nowUs;
}
