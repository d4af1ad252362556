import type { TenantId } from '../model/ids/tenant-id.ts';
import type { MetricName } from './catalogue.ts';
import { DurationHistogram } from './duration-histogram.ts';
import type { Sheet } from './sheet.ts';
import { taskEvents, waitSeconds, type TaskEvent, type TaskTally, type TenantTally } from './task-tally.ts';

/** Hatchet's names for what happens to tasks; it counts no reassignments over all tenants. */
const counters = {
  created: { tenant: 'hatchet_tenant_created_tasks', all: 'hatchet_created_tasks_total' },
  assigned: { tenant: 'hatchet_tenant_assigned_tasks', all: 'hatchet_assigned_tasks_total' },
  succeeded: { tenant: 'hatchet_tenant_succeeded_tasks', all: 'hatchet_succeeded_tasks_total' },
  failed: { tenant: 'hatchet_tenant_failed_tasks', all: 'hatchet_failed_tasks_total' },
  cancelled: { tenant: 'hatchet_tenant_cancelled_tasks', all: 'hatchet_cancelled_tasks_total' },
  skipped: { tenant: 'hatchet_tenant_skipped_tasks', all: 'hatchet_skipped_tasks_total' },
  retried: { tenant: 'hatchet_tenant_retried_tasks', all: 'hatchet_retried_tasks_total' },
  reassigned: { tenant: 'hatchet_tenant_reassigned_tasks', all: null },
  scheduling_timed_out: { tenant: 'hatchet_tenant_scheduling_timed_out', all: 'hatchet_scheduling_timed_out_total' },
  rate_limited: { tenant: 'hatchet_tenant_rate_limited', all: 'hatchet_rate_limited_total' },
} as const satisfies Record<TaskEvent, { tenant: MetricName; all: MetricName | null }>;

/** Of all tenants together. */
export function writeAllTasks(sheet: Sheet, tally: TaskTally): void {
  const waited = new DurationHistogram(waitSeconds);
  let assignedOnce = 0;
  for (const event of taskEvents) {
    const { all } = counters[event];
    if (all !== null) sheet.set(all, {}, 0);
  }
  for (const { byWorkflow } of tally.tenants.values()) {
    for (const workflow of byWorkflow.values()) {
      waited.merge(workflow.waited);
      assignedOnce += workflow.assignedOnce;
      for (const event of taskEvents) {
        const { all } = counters[event];
        if (all !== null) sheet.set(all, {}, workflow.counts[event]);
      }
    }
  }
  sheet.set('hatchet_queued_to_assigned_total', {}, assignedOnce);
  sheet.histogram('hatchet_queued_to_assigned_seconds', {}, waited);
}

export function writeTenantTasks(sheet: Sheet, tenant_id: TenantId, { byWorkflow, leftOut }: TenantTally): void {
  const waited = new DurationHistogram(waitSeconds);
  for (const [workflow_name, workflow] of byWorkflow) {
    const labels = { tenant_id, workflow_name };
    for (const event of taskEvents) {
      sheet.set(counters[event].tenant, { tenant_id }, workflow.counts[event]);
      sheet.set('hatchet_tenant_tasks_by_workflow_total', { ...labels, event }, workflow.counts[event]);
    }
    waited.merge(workflow.waited);
    sheet.set('hatchet_tenant_queued_to_assigned', { tenant_id }, workflow.assignedOnce);
    sheet.set('hatchet_tenant_queued_to_assigned_by_workflow', labels, workflow.assignedOnce);
    sheet.histogram('hatchet_tenant_queued_to_assigned_time_seconds_by_workflow', labels, workflow.waited);
    sheet.histogram('hatchet_tenant_task_run_seconds', labels, workflow.ran);
    for (const [status, durations] of workflow.durations)
      sheet.histogram('hatchet_tenant_workflow_duration_milliseconds', { ...labels, status }, durations);
  }
  sheet.histogram('hatchet_tenant_queued_to_assigned_time_seconds', { tenant_id }, waited);
  sheet.set('hatchet_tenant_series_left_out', { tenant_id, of: 'workflows' }, leftOut.size);
}
