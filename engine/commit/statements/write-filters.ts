import type { FilterRow } from '../../model/stored-rows.ts';
import { boolArray, plainArray, textArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const writeFilters: Statement<FilterRow> = {
  name: 'write_filters',
  text: `
    INSERT INTO filter (id, tenant_id, workflow_id, scope, expression, payload, is_declared)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::boolean[])
    ON CONFLICT (id) DO UPDATE SET scope = excluded.scope, expression = excluded.expression, payload = excluded.payload, updated_at = now()`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.tenantId)),
    plainArray(rows.map((row) => row.workflowId)),
    textArray(rows.map((row) => row.scope)),
    textArray(rows.map((row) => row.expression)),
    textArray(rows.map((row) => row.payload)),
    boolArray(rows.map((row) => row.isDeclared)),
  ],
};

export const deleteFilters: Statement<string> = {
  name: 'delete_filters',
  text: `DELETE FROM filter f USING unnest($1::uuid[]) AS u (id) WHERE f.id = u.id`,
  values: (ids) => [plainArray(ids)],
};
