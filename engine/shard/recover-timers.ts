import type { ClientBase } from 'pg';
import { catchUpPolicies, type CatchUp } from '../model/cron.ts';
import { shardOf } from '../model/shard-of.ts';
import type { ShardState } from '../plan/state/shard-state.ts';

interface CronSqlRow {
  id: string;
  tenant_id: string;
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
  tenant_id: string;
  workflow_id: string;
  due_us: string;
}

const readCrons = `SELECT id, tenant_id, workflow_id, name, expression, zone, catch_up, enabled, is_declared, priority, next_us, last_us, last_run_id, last_error FROM cron`;
/** Those that have neither run nor failed to. */
const readSchedules = `SELECT id, tenant_id, workflow_id, due_us FROM schedule WHERE run_id IS NULL AND error IS NULL`;

/** Crons, and schedules that have not run: those that came due meanwhile fire as their rules say. */
export async function loadTimers(client: ClientBase, shards: ReadonlyMap<number, ShardState>): Promise<void> {
  const crons = await client.query<CronSqlRow>(readCrons);
  for (const row of crons.rows) {
    shards.get(shardOf(row.tenant_id))?.addCron({
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
    });
  }
  const schedules = await client.query<ScheduleSqlRow>(readSchedules);
  for (const row of schedules.rows)
    shards.get(shardOf(row.tenant_id))?.addSchedule({
      kind: 'schedule',
      id: row.id,
      tenantId: row.tenant_id,
      workflowId: row.workflow_id,
      dueUs: Number(row.due_us),
    });
}

function catchUpOf(text: string): CatchUp {
  const policy = catchUpPolicies.find((each) => each === text);
  if (policy === undefined)
    throw new Error(`a cron has the unknown catch-up policy ${text}: was this database written by a newer version?`);
  return policy;
}
