import type { RunRow } from '../../model/rows.ts';
import { plainArray, textArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const insertRuns: Statement<RunRow> = {
  name: 'insert_runs',
  text: `
    INSERT INTO run (id, tenant_id, workflow_id, version_id, priority, input, metadata, parent_task_id, child_index, child_key, filter_payload, placement)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::text[], $7::jsonb[], $8::uuid[], $9::integer[], $10::text[], $11::text[], $12::text[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.tenantId)),
    plainArray(rows.map((row) => row.workflowId)),
    plainArray(rows.map((row) => row.versionId)),
    plainArray(rows.map((row) => row.priority)),
    textArray(rows.map((row) => row.input)),
    textArray(rows.map((row) => row.metadata)),
    plainArray(rows.map((row) => row.parentTaskId)),
    plainArray(rows.map((row) => row.childIndex)),
    textArray(rows.map((row) => row.childKey)),
    textArray(rows.map((row) => row.filterPayload)),
    textArray(rows.map((row) => row.placement)),
  ],
};
