/** What a metric is, and by which labels its series differ. */
interface MetricKind {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

const tenant = ['tenant_id'] as const;
const workflow = ['tenant_id', 'workflow_name'] as const;
const worker = ['tenant_id', 'worker_id', 'worker_name'] as const;
const label = ['tenant_id', 'label_key', 'label_value', 'slot_type'] as const;
const limit = ['tenant_id', 'key'] as const;
const place = ['tenant_id', 'workflow_name', 'task', 'shared_name', 'key'] as const;

/**
 * All metrics but those of the process, which are prom-client's. Names and labels that Hatchet has are Hatchet's own, so that its
 * dashboards work; those of a tenant end without `_total` there.
 */
export const catalogue = {
  hatchet_created_tasks_total: { type: 'counter', labels: [], help: 'Tasks that were made with runs' },
  hatchet_assigned_tasks_total: { type: 'counter', labels: [], help: 'Attempts that were given to a worker' },
  hatchet_succeeded_tasks_total: { type: 'counter', labels: [], help: 'Tasks that completed' },
  hatchet_failed_tasks_total: { type: 'counter', labels: [], help: 'Tasks that failed for good' },
  hatchet_cancelled_tasks_total: { type: 'counter', labels: [], help: 'Tasks that were cancelled' },
  hatchet_skipped_tasks_total: { type: 'counter', labels: [], help: 'Tasks that were skipped' },
  hatchet_retried_tasks_total: {
    type: 'counter',
    labels: [],
    help: 'Attempts that failed and are followed by another',
  },
  hatchet_scheduling_timed_out_total: {
    type: 'counter',
    labels: [],
    help: 'Tasks that waited for a worker for longer than their schedule timeout',
  },
  hatchet_rate_limited_total: { type: 'counter', labels: [], help: 'Times that a task had to wait for units' },
  hatchet_queued_to_assigned_total: {
    type: 'counter',
    labels: [],
    help: 'Tasks that were given to a worker at least once',
  },
  hatchet_queued_to_assigned_seconds: {
    type: 'histogram',
    labels: [],
    help: 'From when an attempt could start until a worker had it',
  },

  hatchet_tenant_created_tasks: { type: 'counter', labels: tenant, help: 'Tasks that were made with runs' },
  hatchet_tenant_assigned_tasks: { type: 'counter', labels: tenant, help: 'Attempts that were given to a worker' },
  hatchet_tenant_succeeded_tasks: { type: 'counter', labels: tenant, help: 'Tasks that completed' },
  hatchet_tenant_failed_tasks: { type: 'counter', labels: tenant, help: 'Tasks that failed for good' },
  hatchet_tenant_cancelled_tasks: { type: 'counter', labels: tenant, help: 'Tasks that were cancelled' },
  hatchet_tenant_skipped_tasks: { type: 'counter', labels: tenant, help: 'Tasks that were skipped' },
  hatchet_tenant_retried_tasks: {
    type: 'counter',
    labels: tenant,
    help: 'Attempts that failed and are followed by another',
  },
  hatchet_tenant_reassigned_tasks: {
    type: 'counter',
    labels: tenant,
    help: 'Attempts that went to another worker, theirs being lost or silent',
  },
  hatchet_tenant_scheduling_timed_out: {
    type: 'counter',
    labels: tenant,
    help: 'Tasks that waited for a worker for longer than their schedule timeout',
  },
  hatchet_tenant_rate_limited: { type: 'counter', labels: tenant, help: 'Times that a task had to wait for units' },
  hatchet_tenant_queued_to_assigned: {
    type: 'counter',
    labels: tenant,
    help: 'Tasks that were given to a worker at least once',
  },
  hatchet_tenant_queued_to_assigned_time_seconds: {
    type: 'histogram',
    labels: tenant,
    help: 'From when an attempt could start until a worker had it',
  },
  hatchet_tenant_queued_to_assigned_by_workflow: {
    type: 'counter',
    labels: workflow,
    help: 'Tasks that were given to a worker at least once',
  },
  hatchet_tenant_queued_to_assigned_time_seconds_by_workflow: {
    type: 'histogram',
    labels: workflow,
    help: 'From when an attempt could start until a worker had it',
  },
  hatchet_tenant_workflow_duration_milliseconds: {
    type: 'histogram',
    labels: ['tenant_id', 'workflow_name', 'status'],
    help: 'From the start of a run’s first attempt to the end of the run',
  },
  hatchet_tenant_task_run_seconds: {
    type: 'histogram',
    labels: workflow,
    help: 'From when a worker had an attempt to the attempt’s end',
  },
  hatchet_tenant_tasks_by_workflow_total: {
    type: 'counter',
    labels: ['tenant_id', 'workflow_name', 'event'],
    help: 'What happened to tasks: created, assigned, succeeded, failed, cancelled, skipped, retried, reassigned, scheduling_timed_out, rate_limited',
  },

  hatchet_tenant_queue_size: {
    type: 'gauge',
    labels: ['tenant_id', 'queue', 'workflow_name'],
    help: 'Tasks that are ready and wait for a worker, a place, units or their batch',
  },
  hatchet_tenant_additional_metadata_queue_size: {
    type: 'gauge',
    labels: ['tenant_id', 'queue', 'key', 'value'],
    help: 'As hatchet_tenant_queue_size, by metadata keys that begin with prom_; a task counts for each of its keys',
  },
  hatchet_tenant_queue_oldest_seconds: {
    type: 'gauge',
    labels: ['tenant_id', 'queue'],
    help: 'For how long the task waits that waits longest for a worker or for units; 0 for none',
  },
  hatchet_tenant_queue_workers: {
    type: 'gauge',
    labels: ['tenant_id', 'queue'],
    help: 'Workers that take tasks of the queue',
  },
  hatchet_tenant_running_tasks: {
    type: 'gauge',
    labels: ['tenant_id', 'queue', 'workflow_name'],
    help: 'Tasks that a worker has',
  },
  hatchet_tenant_delayed_tasks: {
    type: 'gauge',
    labels: ['tenant_id', 'queue', 'workflow_name'],
    help: 'Tasks that wait for a retry’s back-off',
  },
  hatchet_tenant_workers: {
    type: 'gauge',
    labels: ['tenant_id', 'state'],
    help: 'Registered workers: connected, silent (without a stream or heartbeats), blocked or paused',
  },
  hatchet_tenant_worker_slots: { type: 'gauge', labels: worker, help: 'Slots of a connected worker' },
  hatchet_tenant_used_worker_slots: {
    type: 'gauge',
    labels: worker,
    help: 'Slots of a connected worker that are used',
  },
  hatchet_tenant_available_worker_slots: {
    type: 'gauge',
    labels: worker,
    help: 'Slots of a connected worker that are free',
  },
  hatchet_tenant_worker_label_slots: {
    type: 'gauge',
    labels: label,
    help: 'Slots of connected workers with a label, by type of slot',
  },
  hatchet_tenant_used_worker_label_slots: {
    type: 'gauge',
    labels: label,
    help: 'Slots of connected workers with a label that are used',
  },
  hatchet_tenant_available_worker_label_slots: {
    type: 'gauge',
    labels: label,
    help: 'Slots of connected workers with a label that are free',
  },
  hatchet_tenant_slots: {
    type: 'gauge',
    labels: ['tenant_id', 'slot_type'],
    help: 'Slots of all connected workers',
  },
  hatchet_tenant_used_slots: {
    type: 'gauge',
    labels: ['tenant_id', 'slot_type'],
    help: 'Slots of all connected workers that are used',
  },
  hatchet_tenant_rate_limit_units: { type: 'gauge', labels: limit, help: 'Units that a full window holds' },
  hatchet_tenant_rate_limit_units_left: { type: 'gauge', labels: limit, help: 'Units that are left in this window' },
  hatchet_tenant_rate_limit_waiting_tasks: { type: 'gauge', labels: limit, help: 'Tasks that wait for units' },
  hatchet_tenant_concurrency_places: { type: 'gauge', labels: place, help: 'Places of a concurrency key' },
  hatchet_tenant_concurrency_held_places: {
    type: 'gauge',
    labels: place,
    help: 'Places of a concurrency key that are held',
  },
  hatchet_tenant_concurrency_waiting: {
    type: 'gauge',
    labels: place,
    help: 'Tasks that wait for a place of a concurrency key',
  },
  hatchet_tenant_series_left_out: {
    type: 'gauge',
    labels: ['tenant_id', 'of'],
    help: 'What is over the bounds and has no series of its own: workers, labels, rate_limits, concurrency_keys, queues, workflows, metadata',
  },

  hatchet_tenant_metadata_tasks_left_out_total: {
    type: 'counter',
    labels: tenant,
    help: 'Tasks with metadata keys that begin with prom_, which came when 200,000 such tasks were known already',
  },

  hatchet_engine_info: { type: 'gauge', labels: ['version', 'role'], help: '1; the role is engine or edge' },
  hatchet_shards: { type: 'gauge', labels: [], help: 'Shards that this engine serves, of 64' },
  hatchet_waiting_commands: { type: 'gauge', labels: [], help: 'Commands that wait for a transaction' },
  hatchet_lease_age_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Since the lease of the shards was last renewed; it is each 1.5 s, and runs out after 5',
  },
  hatchet_transactions_total: { type: 'counter', labels: [], help: 'Transactions that were stored' },
  hatchet_transaction_commands_total: { type: 'counter', labels: [], help: 'Commands that were stored' },
  hatchet_transaction_rows_total: { type: 'counter', labels: [], help: 'Rows that were written with transactions' },
  hatchet_transaction_seconds: {
    type: 'histogram',
    labels: [],
    help: 'From when a transaction was sent to Postgres until it was stored',
  },
  hatchet_postgres_errors_total: {
    type: 'counter',
    labels: ['kind'],
    help: 'Transactions that Postgres refused (refused), and connections of the lane that were lost (lost)',
  },
  hatchet_postgres_reconnects_total: {
    type: 'counter',
    labels: [],
    help: 'New connections of the lane after one was lost',
  },
  hatchet_postgres_pool_connections: {
    type: 'gauge',
    labels: ['pool', 'state'],
    help: 'Connections of a pool, used and idle, and calls that wait for one',
  },
} as const satisfies Record<string, MetricKind>;

export type MetricName = keyof typeof catalogue;
export type LabelOf<Name extends MetricName> = (typeof catalogue)[Name]['labels'][number];
