import type { Pool } from 'pg';
import { completeDefinition, type StoredDefinition, type WorkflowDefinition } from '../model/definition.ts';
import type { PauseRules } from '../model/pause-rules.ts';
import { withinBytes } from './budget/within-bytes.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** A workflow with its newest version, in a few words. */
export interface WorkflowHead {
  id: string;
  name: string;
  description: string;
  versionId: string;
  updatedAtMs: number;
  taskCount: number;
  /** Of the events that start it, the first 20. */
  eventKeys: readonly string[];
  isPaused: boolean;
}

export interface StoredWorkflow {
  id: string;
  name: string;
  versionId: string;
  ordinal: number;
  createdAtMs: number;
  updatedAtMs: number;
  /** Without what no reader shows: the cron's input and the filters. Null where it was left out. */
  definition: WorkflowDefinition | null;
  definitionBytes: number;
  /** The rules of the pause, where it is paused. */
  pause: { paused: boolean; rules: PauseRules };
}

interface HeadSqlRow {
  id: string;
  name: string;
  description: string;
  version_id: string;
  updated_at: Date;
  task_count: number;
  event_keys: string[];
  paused: boolean;
}

interface WorkflowSqlRow {
  id: string;
  name: string;
  version_id: string;
  ordinal: number;
  created_at: Date;
  updated_at: Date;
  definition: StoredDefinition | null;
  definition_bytes: number;
  paused: boolean;
  drops_crons: boolean;
  drops_schedules: boolean;
  queue_ttl_ms: string | null;
}

const newestVersions = `
    FROM workflow w
    JOIN LATERAL (SELECT * FROM workflow_version v WHERE v.workflow_id = w.id ORDER BY ordinal DESC LIMIT 1) v ON true
    WHERE w.tenant_id = $1 AND NOT w.deleted AND ($2::text IS NULL OR w.name = $2)`;

/** By name. */
const listHeads = {
  name: 'list_workflow_heads',
  text: `
    SELECT w.id, w.name, v.definition ->> 'description' AS description, v.id AS version_id, v.created_at AS updated_at, jsonb_array_length(v.definition -> 'steps') AS task_count, jsonb_path_query_array(v.definition, '$.eventKeys[0 to 19]') AS event_keys, w.paused
    ${newestVersions} AND ($3::text IS NULL OR w.name > $3)
    ORDER BY w.name LIMIT $4`,
};

export async function readWorkflowHeads(
  pool: Pool,
  query: { tenantId: TenantId; name?: string | undefined; afterName?: string | undefined; limit: number },
): Promise<WorkflowHead[]> {
  const { rows } = await pool.query<HeadSqlRow>({
    ...listHeads,
    values: [query.tenantId, query.name ?? null, query.afterName ?? null, query.limit],
  });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    versionId: row.version_id,
    updatedAtMs: row.updated_at.getTime(),
    taskCount: row.task_count,
    eventKeys: row.event_keys,
    isPaused: row.paused,
  }));
}

/** By name. */
const listWorkflows = {
  name: 'list_workflows',
  text: `
    SELECT p.id, p.name, p.version_id, p.ordinal, p.created_at, p.updated_at, p.paused, p.drops_crons, p.drops_schedules, p.queue_ttl_ms, p.definition_bytes, CASE WHEN p.fits THEN p.definition - '{cronInput,filters}'::text[] END AS definition
    FROM (
      SELECT p.*, ${withinBytes('p.definition_bytes', { order: 'p.name', budget: '$6' })} AS fits
      FROM (
        SELECT w.id, w.name, v.id AS version_id, v.ordinal, w.created_at, v.created_at AS updated_at, v.definition, w.paused, w.drops_crons, w.drops_schedules, w.queue_ttl_ms, octet_length((v.definition - '{cronInput,filters}'::text[])::text) AS definition_bytes
        ${newestVersions} AND ($3::uuid IS NULL OR w.id = $3)
        ORDER BY w.name OFFSET $4 LIMIT $5
      ) p
    ) p
    ORDER BY p.name`,
};

interface WorkflowQuery {
  tenantId: TenantId;
  name?: string | undefined;
  id?: string | undefined;
  offset?: number;
  limit: number;
  /** That definitions may have together. */
  bytes: number;
}

/** Workflows with their newest version. */
export async function readWorkflows(pool: Pool, query: WorkflowQuery): Promise<StoredWorkflow[]> {
  const { rows } = await pool.query<WorkflowSqlRow>({
    ...listWorkflows,
    values: [query.tenantId, query.name ?? null, query.id ?? null, query.offset ?? 0, query.limit, query.bytes],
  });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    versionId: row.version_id,
    ordinal: row.ordinal,
    createdAtMs: row.created_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
    definition: row.definition === null ? null : completeDefinition(row.definition),
    definitionBytes: row.definition_bytes,
    pause: { paused: row.paused, rules: rulesOf(row) },
  }));
}

function rulesOf(row: WorkflowSqlRow): PauseRules {
  return {
    dropsCrons: row.drops_crons,
    dropsSchedules: row.drops_schedules,
    queueTtlMs: row.queue_ttl_ms === null ? null : Number(row.queue_ttl_ms),
  };
}

export function definitionSize(workflows: readonly StoredWorkflow[]): { brought: number; leftOut: number } {
  return {
    brought: workflows.reduce(
      (sum, workflow) => sum + (workflow.definition === null ? 0 : workflow.definitionBytes),
      0,
    ),
    leftOut: workflows.reduce(
      (sum, workflow) => sum + (workflow.definition === null ? workflow.definitionBytes : 0),
      0,
    ),
  };
}

const workflowsOfActions = {
  name: 'workflows_of_actions',
  text: `
    SELECT w.id, w.name, array_agg(DISTINCT s.step ->> 'action') AS actions
    FROM workflow w
    JOIN LATERAL (SELECT * FROM workflow_version v WHERE v.workflow_id = w.id ORDER BY ordinal DESC LIMIT 1) v ON true
    CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'steps') AS s (step)
    WHERE w.tenant_id = $1 AND NOT w.deleted AND s.step ->> 'action' = ANY ($2::text[])
    GROUP BY w.id, w.name ORDER BY w.name LIMIT $3`,
};

/** Which workflows name which of the actions. */
export async function readWorkflowsOf(
  pool: Pool,
  query: { tenantId: TenantId; actions: readonly string[]; limit: number },
): Promise<{ id: string; name: string; actions: string[] }[]> {
  const { rows } = await pool.query<{ id: string; name: string; actions: string[] }>({
    ...workflowsOfActions,
    values: [query.tenantId, query.actions, query.limit],
  });
  return rows;
}
