import type { WorkerRow, WorkerUpdateRow } from '../../model/stored-rows.ts';
import { boolArray, plainArray, textArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

/** Actions travel as JSON: unnest would flatten an array of arrays. */
export const insertWorkers: Statement<WorkerRow> = {
  name: 'insert_workers',
  text: `
    INSERT INTO worker (id, tenant_id, name, actions, slots, labels, runtime, last_heartbeat_at)
    SELECT u.id, u.tenant_id, u.name, ARRAY(SELECT jsonb_array_elements_text(u.actions)), u.slots, u.labels, u.runtime, now()
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::jsonb[], $6::jsonb[], $7::jsonb[])
      AS u (id, tenant_id, name, actions, slots, labels, runtime)`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.tenantId)),
    textArray(rows.map((row) => row.name)),
    textArray(rows.map((row) => JSON.stringify(row.actions))),
    textArray(rows.map((row) => row.slots)),
    textArray(rows.map((row) => row.labels)),
    textArray(rows.map((row) => row.runtime)),
  ],
};

/** One row a worker: a second change of the same worker in a transaction would be lost, so the lane merges them first. */
export const updateWorkers: Statement<WorkerUpdateRow> = {
  name: 'update_workers',
  text: `
    UPDATE worker w
    SET labels = CASE WHEN u.labels IS NULL THEN w.labels ELSE w.labels || u.labels END,
      paused = coalesce(u.paused, w.paused),
      ended_at = CASE WHEN u.ended THEN coalesce(w.ended_at, now()) ELSE w.ended_at END
    FROM unnest($1::uuid[], $2::jsonb[], $3::boolean[], $4::boolean[]) AS u (id, labels, paused, ended)
    WHERE w.id = u.id`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    textArray(rows.map((row) => row.labels)),
    boolArray(rows.map((row) => row.paused)),
    boolArray(rows.map((row) => row.ended)),
  ],
};
