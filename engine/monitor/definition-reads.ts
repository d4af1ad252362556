import type { Pool } from 'pg';
import { completeDefinition, type StoredDefinition, type WorkflowDefinition } from '../model/definition.ts';

export interface StoredWorkflow {
  id: string;
  name: string;
  versionId: string;
  ordinal: number;
  createdAtMs: number;
  updatedAtMs: number;
  definition: WorkflowDefinition;
  isPaused: boolean;
}

interface WorkflowSqlRow {
  id: string;
  name: string;
  version_id: string;
  ordinal: number;
  created_at: Date;
  updated_at: Date;
  definition: StoredDefinition;
  paused: boolean;
}

/** Workflows with their newest version, by name. */
const listWorkflows = {
  name: 'list_workflows',
  text: `
    SELECT w.id, w.name, v.id AS version_id, v.ordinal, w.created_at, v.created_at AS updated_at, v.definition, w.paused
    FROM workflow w
    JOIN LATERAL (SELECT * FROM workflow_version v WHERE v.workflow_id = w.id ORDER BY ordinal DESC LIMIT 1) v ON true
    WHERE w.tenant_id = $1 AND ($2::text IS NULL OR w.name = $2) AND ($3::text IS NULL OR w.name > $3) AND ($4::uuid IS NULL OR w.id = $4)
    ORDER BY w.name LIMIT $5`,
};

export async function readWorkflows(
  pool: Pool,
  query: { tenantId: string; name?: string | undefined; id?: string | undefined; afterName?: string | undefined; limit: number },
): Promise<StoredWorkflow[]> {
  const { rows } = await pool.query<WorkflowSqlRow>({ ...listWorkflows, values: [query.tenantId, query.name ?? null, query.afterName ?? null, query.id ?? null, query.limit] });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    versionId: row.version_id,
    ordinal: row.ordinal,
    createdAtMs: row.created_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
    definition: completeDefinition(row.definition),
    isPaused: row.paused,
  }));
}
