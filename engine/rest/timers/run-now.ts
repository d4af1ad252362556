import type { Pool } from 'pg';
import { HatchetError } from '../../base/errors.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import type { TriggerRun } from '../../model/task/trigger-run.ts';
import type { StoredCron, StoredSchedule } from '../../monitor/timer-reads.ts';
import { cronMetadata, readPayloads, type TimerPayload } from '../../shard/fire-crons-and-schedules.ts';
import { prepareRun } from '../../shard/prepare/prepare-run.ts';
import type { RestDeps } from '../deps.ts';
import { startOne } from '../runs/start-one.ts';

const second = 1_000_000;

/** A run of a cron beside its ticks, which stay as they are. @throws HatchetError UNKNOWN_WORKFLOW, IDEMPOTENCY_COLLISION */
export async function runCronNow(deps: RestDeps, tenantId: TenantId, cron: StoredCron): Promise<string> {
  const payload = await payloadOf(deps.pool, cron.id);
  if (payload === undefined) throw unknownTimer(cron.id);
  const nowUs = Math.floor(deps.owner.nowUs / second) * second;
  const run = await prepared(deps, tenantId, {
    workflowName: cron.workflowName,
    payload: { ...payload, metadata: cronMetadata(payload.metadata, cron, nowUs) },
  });
  return startOne(deps.owner, tenantId, run);
}

/**
 * A scheduled run in place of its time, as its timer would start it: in the transaction that makes the run the schedule is over,
 * so that it runs once, whoever comes first. Undefined where the timer did, or it was moved or deleted meanwhile.
 */
export async function fireNow(
  deps: RestDeps,
  tenantId: TenantId,
  schedule: StoredSchedule,
): Promise<string | undefined> {
  const payload = await payloadOf(deps.pool, schedule.id);
  if (payload === undefined) return undefined;
  const run = await prepared(deps, tenantId, { workflowName: schedule.workflowName, payload });
  await deps.owner.submit({
    kind: 'fireTimer',
    tenantId,
    timer: { kind: 'schedule', id: markChecked(schedule.id), dueUs: markChecked(Number(schedule.dueUs)) },
    run,
    error: null,
    nextUs: markChecked(Number.MAX_SAFE_INTEGER),
  });
  return run.runId;
}

function prepared(
  { owner }: RestDeps,
  tenantId: TenantId,
  { workflowName, payload }: { workflowName: string; payload: TimerPayload },
): Checked<TriggerRun> | Promise<Checked<TriggerRun>> {
  const { input, metadata, priority, parentTaskId } = payload;
  return prepareRun(owner, tenantId, {
    workflowName,
    input,
    metadata,
    priority: priority ?? undefined,
    parentTaskId: parentTaskId ?? undefined,
  });
}

async function payloadOf(pool: Pool, timerId: string): Promise<TimerPayload | undefined> {
  const { rows } = await pool.query<TimerPayload>({ ...readPayloads, values: [[timerId]] });
  return rows[0];
}

function unknownTimer(id: string): HatchetError {
  return new HatchetError('UNKNOWN_TIMER', `there is no cron ${id}`, { remedy: 'Check the id.' });
}
