import type { EventRow, EventRunRow } from '../../model/stored-rows.ts';
import { plainArray, textArray } from '../array-literal.ts';
import { orStaged, stagedArrays, type Statement } from '../statement.ts';

export const insertEvents: Statement<EventRow> = {
  name: 'insert_events',
  text: `
    INSERT INTO event (id, tenant_id, key, scope, payload, metadata, webhook_name)
    SELECT u.id, u.tenant_id, u.key, u.scope, ${orStaged('payload')}, u.metadata, u.webhook_name
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::text[], $8::uuid[]) AS u (id, tenant_id, key, scope, payload, metadata, webhook_name, staged)`,
  values: (rows, staged) => {
    const payload = stagedArrays(
      rows.map((row) => row.payload),
      staged,
    );
    return [
      plainArray(rows.map((row) => row.id)),
      plainArray(rows.map((row) => row.tenantId)),
      textArray(rows.map((row) => row.key)),
      textArray(rows.map((row) => row.scope)),
      payload.texts,
      textArray(rows.map((row) => row.metadata)),
      textArray(rows.map((row) => row.webhookName)),
      payload.ids,
    ];
  },
};

export const insertEventRuns: Statement<EventRunRow> = {
  name: 'insert_event_runs',
  text: `
    INSERT INTO event_run (event_id, run_id, filter_id)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.eventId)),
    plainArray(rows.map((row) => row.runId)),
    plainArray(rows.map((row) => row.filterId)),
  ],
};
