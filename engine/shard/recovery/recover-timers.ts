import { catchUpPolicies, type CatchUp } from '../../model/time/missed-ticks.ts';
import type { ShardTables } from './shard-tables.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

interface CronSqlRow {
  id: string;
  tenant_id: TenantId;
  workflow_id: string;
  name: string;
  expression: string;
  zone: string;
  catch_up: string;
  enabled: boolean;
  is_declared: boolean;
  priority: number | null;
  next_us: string;
  last_us: string | null;
  last_run_id: string | null;
  last_error: string | null;
}

interface ScheduleSqlRow {
  id: string;
  tenant_id: TenantId;
  workflow_id: string;
  due_us: string;
}

/** Schedules a page. */
const pageRows = 1_000;
const firstId = '00000000-0000-0000-0000-000000000000';

export const readCrons = `
  SELECT c.id, c.tenant_id, c.workflow_id, c.name, c.expression, c.zone, c.catch_up, c.enabled, c.is_declared, c.priority, c.next_us,
    c.last_us, c.last_run_id, c.last_error
  FROM unnest($1::uuid[]) AS u (tenant_id) JOIN cron c ON c.tenant_id = u.tenant_id`;
/** Those that have neither run nor failed to. */
export const readSchedules = `
  SELECT id, tenant_id, workflow_id, due_us FROM schedule
  WHERE tenant_id = $1 AND id > $2 AND run_id IS NULL AND error IS NULL ORDER BY id LIMIT $3`;

/** Crons, and schedules that have not run: those that came due meanwhile fire as their rules say. */
export async function loadTimers({ client, shard, tenantIds, setAside, slice }: ShardTables): Promise<void> {
  const crons = await client.query<CronSqlRow>(readCrons, [tenantIds]);
  for (const row of crons.rows) {
    setAside.try('cron', row.id, () =>
      shard.addCron({
        kind: 'cron',
        id: row.id,
        tenantId: row.tenant_id,
        workflowId: row.workflow_id,
        dueUs: Number(row.next_us),
        name: row.name,
        expression: row.expression,
        zone: row.zone,
        catchUp: catchUpOf(row.catch_up),
        enabled: row.enabled,
        isDeclared: row.is_declared,
        priority: row.priority,
        lastUs: row.last_us === null ? null : Number(row.last_us),
        lastRunId: row.last_run_id,
        lastError: row.last_error,
      }),
    );
    await slice.pause();
  }
  for (const tenantId of tenantIds) {
    for (let after = firstId, full = true; full;) {
      const { rows } = await client.query<ScheduleSqlRow>(readSchedules, [tenantId, after, pageRows]);
      full = rows.length === pageRows;
      after = rows.at(-1)?.id ?? after;
      for (const row of rows) {
        setAside.try('schedule', row.id, () =>
          shard.addSchedule({
            kind: 'schedule',
            id: row.id,
            tenantId: row.tenant_id,
            workflowId: row.workflow_id,
            dueUs: Number(row.due_us),
          }),
        );
        await slice.pause();
      }
    }
  }
}

function catchUpOf(text: string): CatchUp {
  const policy = catchUpPolicies.find((each) => each === text);
  if (policy === undefined)
    throw new Error(`a cron has the unknown catch-up policy ${text}: was this database written by a newer version?`);
  return policy;
}
