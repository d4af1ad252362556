import type { VersionRow, WorkflowRow, WorkflowUpdateRow } from '../../model/stored-rows.ts';
import { boolArray, plainArray, textArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const insertWorkflows: Statement<WorkflowRow> = {
  name: 'insert_workflows',
  text: `
    INSERT INTO workflow (id, tenant_id, name)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.tenantId)),
    textArray(rows.map((row) => row.name)),
  ],
};

export const insertVersions: Statement<VersionRow> = {
  name: 'insert_versions',
  text: `
    INSERT INTO workflow_version (id, workflow_id, tenant_id, ordinal, checksum, definition)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::jsonb[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.workflowId)),
    plainArray(rows.map((row) => row.tenantId)),
    plainArray(rows.map((row) => row.ordinal)),
    textArray(rows.map((row) => row.checksum)),
    textArray(rows.map((row) => row.definition)),
  ],
};

export const updateWorkflows: Statement<WorkflowUpdateRow> = {
  name: 'update_workflows',
  text: `
    UPDATE workflow w SET paused = u.paused, drops_crons = u.drops_crons, drops_schedules = u.drops_schedules, queue_ttl_ms = u.queue_ttl_ms, resumed_us = u.resumed_us, deleted = u.deleted
    FROM unnest($1::uuid[], $2::boolean[], $3::boolean[], $4::boolean[], $5::bigint[], $6::bigint[], $7::boolean[]) AS u (id, paused, drops_crons, drops_schedules, queue_ttl_ms, resumed_us, deleted)
    WHERE w.id = u.id`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    boolArray(rows.map((row) => row.paused)),
    boolArray(rows.map((row) => row.dropsCrons)),
    boolArray(rows.map((row) => row.dropsSchedules)),
    plainArray(rows.map((row) => row.queueTtlMs)),
    plainArray(rows.map((row) => row.resumedUs)),
    boolArray(rows.map((row) => row.deleted)),
  ],
};
