import type { RunInsert } from '../../model/stored-rows.ts';
import { boolArray, plainArray, textArray } from '../array-literal.ts';
import { boolField, plainField, textField } from '../copy-lines.ts';
import { copyInto } from '../copy-statement.ts';
import { orStaged, stagedArrays, type Statement } from '../statement.ts';

export const insertRuns = copyInto<RunInsert>({
  name: 'insert_runs',
  table: 'run',
  columns: [
    'id',
    'tenant_id',
    'workflow_id',
    'version_id',
    'priority',
    'input',
    'metadata',
    'parent_task_id',
    'child_index',
    'child_key',
    'filter_payload',
    'placement',
    'one_task',
    'queued_seq',
  ],
  lines: (rows) => {
    let lines = '';
    for (const row of rows) {
      lines += `${row.id}\t${row.tenantId}\t${row.workflowId}\t${row.versionId}\t${row.priority}\t${textField(row.input)}\t${textField(row.metadata)}`;
      lines += `\t${plainField(row.parentTaskId)}\t${plainField(row.childIndex)}\t${textField(row.childKey)}`;
      lines += `\t${textField(row.filterPayload)}\t${textField(row.placement)}\t${boolField(row.oneTask)}\t${plainField(row.queuedSeq)}\n`;
    }
    return lines;
  },
});

/** Where an input is staged. */
export const insertStagedRuns: Statement<RunInsert> = {
  name: 'insert_staged_runs',
  text: `
    INSERT INTO run (id, tenant_id, workflow_id, version_id, priority, input, metadata, parent_task_id, child_index, child_key, filter_payload, placement, one_task, queued_seq)
    SELECT u.id, u.tenant_id, u.workflow_id, u.version_id, u.priority, ${orStaged('input')}, u.metadata, u.parent_task_id, u.child_index, u.child_key, u.filter_payload, u.placement, u.one_task, u.queued_seq
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::text[], $7::jsonb[], $8::uuid[], $9::integer[], $10::text[], $11::text[], $12::text[], $13::boolean[], $14::bigint[], $15::uuid[]) AS u (id, tenant_id, workflow_id, version_id, priority, input, metadata, parent_task_id, child_index, child_key, filter_payload, placement, one_task, queued_seq, staged)`,
  values: (rows, staged) => {
    const input = stagedArrays(
      rows.map((row) => row.input),
      staged,
    );
    return [
      plainArray(rows.map((row) => row.id)),
      plainArray(rows.map((row) => row.tenantId)),
      plainArray(rows.map((row) => row.workflowId)),
      plainArray(rows.map((row) => row.versionId)),
      plainArray(rows.map((row) => row.priority)),
      input.texts,
      textArray(rows.map((row) => row.metadata)),
      plainArray(rows.map((row) => row.parentTaskId)),
      plainArray(rows.map((row) => row.childIndex)),
      textArray(rows.map((row) => row.childKey)),
      textArray(rows.map((row) => row.filterPayload)),
      textArray(rows.map((row) => row.placement)),
      boolArray(rows.map((row) => row.oneTask)),
      plainArray(rows.map((row) => row.queuedSeq)),
      input.ids,
    ];
  },
};
