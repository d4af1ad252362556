import type { EventWakingRef, EventWakingRow } from '../../model/stored-rows.ts';
import { plainArray, textArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const insertWakings: Statement<EventWakingRow> = {
  name: 'insert_event_wakings',
  text: `
    INSERT INTO event_waking (shard, seq, event_id, tenant_id, key)
    SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.shard)),
    plainArray(rows.map((row) => row.seq)),
    plainArray(rows.map((row) => row.eventId)),
    plainArray(rows.map((row) => row.tenantId)),
    textArray(rows.map((row) => row.key)),
  ],
};

export const deleteWakings: Statement<EventWakingRef> = {
  name: 'delete_event_wakings',
  text: `
    DELETE FROM event_waking w USING unnest($1::smallint[], $2::bigint[]) AS u (shard, seq)
    WHERE w.shard = u.shard AND w.seq = u.seq`,
  values: (rows) => [plainArray(rows.map((row) => row.shard)), plainArray(rows.map((row) => row.seq))],
};
