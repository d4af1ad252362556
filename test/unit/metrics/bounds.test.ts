import { describe, expect, it } from 'vitest';
import { MetadataKeys } from '../../../engine/metrics/metadata-keys.ts';
import { Sheet } from '../../../engine/metrics/sheet.ts';
import { mostWorkflows, otherWorkflows, TaskTally } from '../../../engine/metrics/task-tally.ts';
import { writeTenantTasks } from '../../../engine/metrics/task-series.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { HistoryRow, ResultRow } from '../../../engine/model/stored-rows.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import type { Transition } from '../../../engine/model/task/transition.ts';
import { Scrape } from '../../helpers/scrape.ts';

const tenantId = newTenantId();

function row(taskId: string, transitions: Transition[], more: Partial<HistoryRow> = {}): HistoryRow {
  return {
    taskId,
    runId: taskId,
    seq: 0,
    tenantId,
    attempt: 0,
    transitions,
    workerId: null,
    message: null,
    stepName: 'mail',
    workflowName: 'mail',
    ...more,
  };
}

function failure(taskId: string): ResultRow {
  return {
    taskId,
    generation: 1,
    status: RunStatus.Failed,
    attempt: 1,
    seq: 0,
    output: null,
    error: '',
    invocation: 0,
  };
}

async function written(tally: TaskTally): Promise<Scrape> {
  const sheet = new Sheet();
  for (const [id, tenant] of tally.tenants) writeTenantTasks(sheet, id, tenant);
  return new Scrape(await sheet.text());
}

describe('workflows with series of their own', () => {
  it('are bounded, and the others count together', async () => {
    const tally = new TaskTally();
    const names = Array.from({ length: mostWorkflows + 50 }, (_, n) => `workflow-${n}`);
    for (const workflowName of [...names, ...names]) tally.committed([row(newId(), ['CREATED'], { workflowName })], []);
    const scrape = await written(tally);
    const created = scrape.samples('hatchet_tenant_tasks_by_workflow_total', { event: 'created' });
    expect(created).toHaveLength(mostWorkflows + 1);
    expect(
      scrape.value('hatchet_tenant_tasks_by_workflow_total', { event: 'created', workflow_name: otherWorkflows }),
    ).toBe(100);
    expect(scrape.value('hatchet_tenant_created_tasks')).toBe(2 * names.length);
    expect(scrape.value('hatchet_tenant_series_left_out', { of: 'workflows' })).toBe(50);
  });
});

describe('a failure', () => {
  it('counts once nothing follows it, and a run lasts from its first attempt on', async () => {
    const tally = new TaskTally();
    const id = newId();
    tally.committed([row(id, ['CREATED', 'ASSIGNED'], { seq: 1_000_000, waitedUs: 30_000 })], []);
    tally.committed([row(id, ['FAILED'], { seq: 2_000_000 }), row(id, ['RETRYING'], { seq: 2_000_000 })], []);
    expect((await written(tally)).value('hatchet_tenant_failed_tasks')).toBe(0);
    tally.committed([row(id, ['ASSIGNED'], { seq: 5_000_000, attempt: 1 })], []);
    tally.committed(
      [row(id, ['TIMED_OUT'], { seq: 7_000_000 }), row(id, ['RUN_FAILED'], { seq: 7_000_001 })],
      [failure(id)],
    );
    const scrape = await written(tally);
    expect(scrape.value('hatchet_tenant_failed_tasks')).toBe(1);
    expect(scrape.value('hatchet_tenant_retried_tasks')).toBe(1);
    expect(scrape.value('hatchet_tenant_task_run_seconds_sum')).toBe(3);
    expect(scrape.value('hatchet_tenant_workflow_duration_milliseconds_sum', { status: 'FAILED' })).toBeCloseTo(
      6000,
      1,
    );
    expect(scrape.value('hatchet_tenant_queued_to_assigned_time_seconds_sum')).toBe(0.03);
    expect(scrape.value('hatchet_tenant_queued_to_assigned')).toBe(1);
  });
});

describe('metadata that is counted', () => {
  it('is kept for as long as its task is unfinished', () => {
    const keys = new MetadataKeys();
    const id = newId();
    const made = { kind: 'runCreated', runId: id, input: '{}', metadata: '{"prom_a":"b","other":"c"}' } as const;
    const rest = { filterPayload: null, parentTaskId: null, childIndex: null, childKey: null };
    expect(keys.committed([{ ...made, ...rest }], [row(id, ['CREATED'])], [])).toEqual([]);
    expect(keys.size).toBe(1);
    expect(keys.committed([], [row(id, ['FAILED'])], [failure(id)])).toEqual([]);
    expect(keys.size).toBe(0);
    expect(keys.committed([], [row(id, ['RETRIED_BY_USER'])], [])).toEqual([id]);
    keys.addStored(id, tenantId, '{"prom_list":[1],"plain":"x"}');
    expect(keys.size).toBe(0);
  });
});
