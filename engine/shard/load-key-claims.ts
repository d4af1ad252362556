import type { ClientBase } from 'pg';
import type { TriggerRun } from '../plan/commands/trigger-run.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { Job } from './job.ts';

interface ClaimSqlRow {
  tenant_id: string;
  key: string;
  run_id: string;
  by_status: boolean;
  expires_us: string;
}

const readClaims = {
  name: 'key_claims',
  text: `
    SELECT i.tenant_id, i.key, i.run_id, i.by_status, i.expires_us
    FROM unnest($1::uuid[], $2::text[]) AS u (tenant_id, key)
    JOIN idempotency i ON i.tenant_id = u.tenant_id AND i.key = u.key`,
};

/** The stored claims of the keys that the batch asks for. A tenant can have millions: memory holds those of one batch. */
export async function loadKeyClaims(
  sources: { client: ClientBase; stateOf: (shard: number) => ShardState | undefined },
  jobs: readonly Job[],
): Promise<void> {
  const wanted = jobs.flatMap((job) =>
    runsOf(job).flatMap(({ tenantId, run }) =>
      run.idempotency === null ? [] : [{ shard: job.shard, tenantId, key: run.idempotency.key }],
    ),
  );
  if (wanted.length === 0) return;
  const states = new Map(wanted.map(({ shard, tenantId }) => [tenantId, sources.stateOf(shard)]));
  for (const state of states.values()) state?.keyClaims.clear();
  const { rows } = await sources.client.query<ClaimSqlRow>({
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

function runsOf({ command }: Job): { tenantId: string; run: TriggerRun }[] {
  switch (command.kind) {
    case 'trigger':
      return command.runs.map((run) => ({ tenantId: command.tenantId, run }));
    case 'pushEvent':
      return command.events.flatMap((event) => event.runs.map(({ run }) => ({ tenantId: command.tenantId, run })));
    case 'fireTimer':
      return command.run === null ? [] : [{ tenantId: command.timer.tenantId, run: command.run }];
    default:
      return [];
  }
}
