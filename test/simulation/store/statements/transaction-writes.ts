import { deleteLive } from '../../../../engine/commit/statements/delete-live.ts';
import {
  insertVersions,
  insertWorkflows,
  updateWorkflows,
} from '../../../../engine/commit/statements/insert-definitions.ts';
import { insertEventRuns, insertEvents } from '../../../../engine/commit/statements/insert-events.ts';
import { insertHistory } from '../../../../engine/commit/statements/insert-history.ts';
import { insertLive } from '../../../../engine/commit/statements/insert-live.ts';
import { insertResults, insertStagedResults } from '../../../../engine/commit/statements/insert-results.ts';
import { insertRunEnds } from '../../../../engine/commit/statements/insert-run-ends.ts';
import { insertRuns, insertStagedRuns } from '../../../../engine/commit/statements/insert-runs.ts';
import { insertTasks } from '../../../../engine/commit/statements/insert-tasks.ts';
import { updateLive } from '../../../../engine/commit/statements/update-live.ts';
import { writeDeliveries } from '../../../../engine/commit/statements/write-deliveries.ts';
import { deleteFilters, writeFilters } from '../../../../engine/commit/statements/write-filters.ts';
import { writeIdempotency } from '../../../../engine/commit/statements/write-idempotency.ts';
import { writeRateLimits } from '../../../../engine/commit/statements/write-rate-limits.ts';
import {
  deleteCrons,
  deleteSchedules,
  insertSchedules,
  updateCrons,
  updateSchedules,
  writeCrons,
} from '../../../../engine/commit/statements/write-timers.ts';
import { deleteWaits, writeWaits } from '../../../../engine/commit/statements/write-waits.ts';
import { insertWakings } from '../../../../engine/commit/statements/write-wakings.ts';
import { copying, deleting, inserting, updating } from '../writers.ts';

/** What a transaction of the lane writes, table by table, where a row of an array is a row of a table. */
export const transactionWrites = [
  inserting({ text: insertWorkflows.text, table: 'workflow', columns: ['id', 'tenant_id', 'name'] }),
  inserting({
    text: insertVersions.text,
    table: 'workflow_version',
    columns: ['id', 'workflow_id', 'tenant_id', 'ordinal', 'checksum', 'definition'],
  }),
  updating({
    text: updateWorkflows.text,
    table: 'workflow',
    key: 'id',
    columns: ['paused', 'drops_crons', 'drops_schedules', 'queue_ttl_ms', 'resumed_us', 'deleted'],
  }),
  inserting({
    text: insertStagedRuns.text,
    table: 'run',
    columns: [
      'id',
      'tenant_id',
      'workflow_id',
      'version_id',
      'priority',
      'input',
      'metadata',
      'parent_task_id',
      'child_index',
      'child_key',
      'filter_payload',
      'placement',
      'one_task',
      'queued_seq',
    ],
    staged: 'input',
  }),
  ...copying({ ...insertRuns, table: 'run' }),
  ...copying({ ...insertTasks, table: 'task' }),
  deleting({ text: deleteLive.text, table: 'live' }),
  ...copying({ ...insertLive, table: 'live' }),
  updating({
    text: updateLive.text,
    table: 'live',
    key: 'task_id',
    columns: [
      'state',
      'flags',
      'generation',
      'attempt',
      'retries',
      'reassigns',
      'seq',
      'due_us',
      'worker_id',
      'batch_id',
      'invocation',
      'deaths',
      'unanswered',
    ],
  }),
  inserting({
    text: writeRateLimits.text,
    table: 'rate_limit',
    columns: [
      'tenant_id',
      'key',
      'size',
      'period',
      'window_size',
      'window_start_us',
      'used',
      'is_static',
      'paused_until_us',
    ],
    onConflict: { takes: ['size', 'period', 'window_size', 'window_start_us', 'used', 'is_static', 'paused_until_us'] },
  }),
  inserting({
    text: insertEvents.text,
    table: 'event',
    columns: ['id', 'tenant_id', 'key', 'scope', 'payload', 'metadata', 'webhook_name'],
    staged: 'payload',
  }),
  inserting({
    text: insertWakings.text,
    table: 'event_waking',
    columns: ['shard', 'seq', 'event_id', 'tenant_id', 'key'],
  }),
  inserting({ text: insertEventRuns.text, table: 'event_run', columns: ['event_id', 'run_id', 'filter_id'] }),
  inserting({
    text: writeDeliveries.text,
    table: 'webhook_delivery',
    columns: ['webhook_id', 'key', 'event_id', 'expires_us'],
    onConflict: { takes: ['event_id', 'expires_us'] },
  }),
  inserting({
    text: writeFilters.text,
    table: 'filter',
    columns: ['id', 'tenant_id', 'workflow_id', 'scope', 'expression', 'payload', 'is_declared'],
    onConflict: { takes: ['scope', 'expression', 'payload'], touches: 'updated_at' },
  }),
  deleting({ text: deleteFilters.text, table: 'filter' }),
  deleting({ text: deleteCrons.text, table: 'cron' }),
  inserting({
    text: writeCrons.text,
    table: 'cron',
    columns: [
      'id',
      'tenant_id',
      'workflow_id',
      'name',
      'expression',
      'zone',
      'catch_up',
      'input',
      'metadata',
      'priority',
      'enabled',
      'is_declared',
      'next_us',
      'last_us',
      'last_run_id',
    ],
    staged: 'input',
  }),
  updating({
    text: updateCrons.text,
    table: 'cron',
    key: 'id',
    columns: ['next_us', 'enabled', 'last_error', 'last_us', 'last_run_id'],
  }),
  inserting({
    text: insertSchedules.text,
    table: 'schedule',
    columns: ['id', 'tenant_id', 'workflow_id', 'due_us', 'input', 'metadata', 'priority', 'parent_task_id'],
    staged: 'input',
  }),
  updating({ text: updateSchedules.text, table: 'schedule', key: 'id', columns: ['due_us', 'run_id', 'error'] }),
  deleting({ text: deleteSchedules.text, table: 'schedule' }),
  deleting({ text: deleteWaits.text, table: 'wait' }),
  inserting({
    text: writeIdempotency.text,
    table: 'idempotency',
    columns: ['tenant_id', 'key', 'run_id', 'by_status', 'expires_us'],
    onConflict: { takes: ['run_id', 'by_status', 'expires_us'] },
  }),
  inserting({
    text: writeWaits.text,
    table: 'wait',
    columns: ['task_id', 'tenant_id', 'since_us', 'since_seq', 'resolved'],
    onConflict: { takes: ['since_us', 'since_seq', 'resolved'] },
  }),
  inserting({
    text: insertStagedResults.text,
    table: 'result',
    columns: ['task_id', 'generation', 'status', 'attempt', 'seq', 'output', 'error', 'invocation'],
    staged: 'output',
  }),
  ...copying({ ...insertResults, table: 'result' }),
  ...copying({ ...insertRunEnds, table: 'run_end' }),
  ...copying({ ...insertHistory, table: 'history' }),
];
