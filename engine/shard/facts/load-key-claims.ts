import type { Sql } from '../../postgres/sql-client.ts';
import { kindOf } from '../../plan/commands/command.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { Asking } from './command-needs.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

interface ClaimSqlRow {
  tenant_id: TenantId;
  key: string;
  run_id: string;
  by_status: boolean;
  expires_us: string;
}

export const readClaims = {
  name: 'key_claims',
  text: `
    SELECT i.tenant_id, i.key, i.run_id, i.by_status, i.expires_us
    FROM unnest($1::uuid[], $2::text[]) AS u (tenant_id, key)
    JOIN idempotency i ON i.tenant_id = u.tenant_id AND i.key = u.key`,
};

/** Brings the stored claims of the keys into the shards' memory that commands ask for. A tenant can have millions: memory holds those of one transaction. */
export async function loadKeyClaims(client: Sql, asking: readonly Asking[]): Promise<void> {
  const wanted: { state: ShardState; tenantId: TenantId; key: string }[] = [];
  for (const { job, state } of asking)
    for (const { idempotency, versionId } of kindOf(job.command).startsRuns(job.command)) {
      const tenantId = state.versions.get(versionId)?.tenantId;
      if (idempotency !== null && tenantId !== undefined) wanted.push({ state, tenantId, key: idempotency.key });
    }
  if (wanted.length === 0) return;
  const states = new Map(wanted.map(({ state, tenantId }) => [tenantId, state]));
  for (const state of states.values()) state.keyClaims.clear();
  const { rows } = await client.query<ClaimSqlRow>({
    ...readClaims,
    values: [wanted.map(({ tenantId }) => tenantId), wanted.map(({ key }) => key)],
  });
  for (const row of rows) {
    const claim = {
      tenantId: row.tenant_id,
      key: row.key,
      runId: row.run_id,
      byStatus: row.by_status,
      expiresUs: Number(row.expires_us),
    };
    states.get(row.tenant_id)?.keyClaims.set(`${row.tenant_id} ${row.key}`, claim);
  }
}
