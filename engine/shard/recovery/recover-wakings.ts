import { newWaking } from '../../plan/state/event-wakings.ts';
import type { ShardTables } from './shard-tables.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

interface WakingSqlRow {
  seq: string;
  event_id: string;
  tenant_id: TenantId;
  key: string;
}

export const readWakings = `
  SELECT seq, event_id, tenant_id, key FROM event_waking WHERE shard = $1 AND seq > $2 ORDER BY seq LIMIT $3`;

/** Rows a page. */
const pageRows = 1_000;

/** Events that had not been told yet to all that waited for them: each begins again, with those that wait still. */
export async function loadWakings({ client, shard, slice }: ShardTables): Promise<void> {
  for (let after = '0', full = true; full;) {
    const { rows } = await client.query<WakingSqlRow>(readWakings, [shard.id, after, pageRows]);
    full = rows.length === pageRows;
    after = rows.at(-1)?.seq ?? after;
    for (const { seq, event_id: eventId, tenant_id: tenantId, key } of rows) {
      shard.wakings.add(newWaking({ eventId, tenantId, key, seq: Number(seq) }));
      if (slice.isOver) await slice.pause();
    }
  }
}
