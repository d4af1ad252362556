import type { Pool } from 'pg';
import { withinBytes } from './budget/within-bytes.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

export interface StoredWorker {
  id: string;
  name: string;
  /** Empty where they were left out. */
  actions: string[];
  actionsLeftOut: number;
  slots: Record<string, number>;
  labels: Record<string, string | number>;
  runtime: Record<string, string>;
  paused: boolean;
  ended: boolean;
  registeredAtMs: number;
  lastHeartbeatAtMs: number | null;
}

interface WorkerSqlRow {
  id: string;
  name: string;
  actions: string[] | null;
  action_bytes: number;
  slots: Record<string, number>;
  labels: Record<string, string | number>;
  runtime: Record<string, string>;
  paused: boolean;
  ended: boolean;
  registered_at: Date;
  last_heartbeat_at: Date | null;
}

/** Newest first, or the only one of an id, with their actions as far as these are within so many bytes. Without `all`, only those not ended and heard of within the last minute, plus the given ones. */
const listWorkers = {
  name: 'list_workers',
  text: `
    SELECT p.*, CASE WHEN ${withinBytes('p.action_bytes', { order: 'p.id DESC', budget: '$5' })} THEN (SELECT w.actions FROM worker w WHERE w.id = p.id) END AS actions
    FROM (
      SELECT id, name, octet_length(actions::text) AS action_bytes, slots, labels, runtime, paused, ended_at IS NOT NULL AS ended, registered_at, last_heartbeat_at
      FROM worker
      WHERE tenant_id = $1 AND ($2::boolean OR (ended_at IS NULL AND last_heartbeat_at > now() - interval '1 minute') OR id = ANY ($3::uuid[])) AND ($6::uuid IS NULL OR id = $6)
      ORDER BY id DESC LIMIT $4
    ) p
    ORDER BY p.id DESC`,
};

export async function readWorkers(
  pool: Pool,
  query: { tenantId: TenantId; all: boolean; ids: readonly string[]; id?: string; limit: number; bytes: number },
): Promise<StoredWorker[]> {
  const { rows } = await pool.query<WorkerSqlRow>({
    ...listWorkers,
    values: [query.tenantId, query.all, query.ids, query.limit, query.bytes, query.id ?? null],
  });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    actions: row.actions ?? [],
    actionsLeftOut: row.actions === null ? row.action_bytes : 0,
    slots: row.slots,
    labels: row.labels,
    runtime: row.runtime,
    paused: row.paused,
    ended: row.ended,
    registeredAtMs: row.registered_at.getTime(),
    lastHeartbeatAtMs: row.last_heartbeat_at?.getTime() ?? null,
  }));
}

/** Bytes of the actions that a page has brought, and of those that it left out. */
export function actionSize(workers: readonly StoredWorker[]): { brought: number; leftOut: number } {
  return {
    brought: workers.reduce(
      (sum, worker) => sum + worker.actions.reduce((total, action) => total + action.length, 0),
      0,
    ),
    leftOut: workers.reduce((sum, worker) => sum + worker.actionsLeftOut, 0),
  };
}
