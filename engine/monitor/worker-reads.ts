import type { Pool } from 'pg';

export interface StoredWorker {
  id: string;
  name: string;
  actions: string[];
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
  actions: string[];
  slots: Record<string, number>;
  labels: Record<string, string | number>;
  runtime: Record<string, string>;
  paused: boolean;
  ended: boolean;
  registered_at: Date;
  last_heartbeat_at: Date | null;
}

/** Newest first. Without `all`, only those not ended and heard of within the last minute, plus the given ones. */
const listWorkers = {
  name: 'list_workers',
  text: `
    SELECT id, name, actions, slots, labels, runtime, paused, ended_at IS NOT NULL AS ended, registered_at, last_heartbeat_at
    FROM worker
    WHERE tenant_id = $1 AND ($2::boolean OR (ended_at IS NULL AND last_heartbeat_at > now() - interval '1 minute') OR id = ANY ($3::uuid[]))
    ORDER BY id DESC LIMIT $4`,
};

export async function readWorkers(pool: Pool, query: { tenantId: string; all: boolean; ids: readonly string[]; limit: number }): Promise<StoredWorker[]> {
  const { rows } = await pool.query<WorkerSqlRow>({ ...listWorkers, values: [query.tenantId, query.all, query.ids, query.limit] });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    actions: row.actions,
    slots: row.slots,
    labels: row.labels,
    runtime: row.runtime,
    paused: row.paused,
    ended: row.ended,
    registeredAtMs: row.registered_at.getTime(),
    lastHeartbeatAtMs: row.last_heartbeat_at?.getTime() ?? null,
  }));
}
