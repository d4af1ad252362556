import type { CronRow, CronUpdateRow, ScheduleRow, ScheduleUpdateRow } from '../../model/stored-rows.ts';
import { boolArray, plainArray, textArray } from '../array-literal.ts';
import { orStaged, stagedArrays, type Statement } from '../statement.ts';

export const writeCrons: Statement<CronRow> = {
  name: 'write_crons',
  text: `
    INSERT INTO cron (id, tenant_id, workflow_id, name, expression, zone, catch_up, input, metadata, priority, enabled, is_declared, next_us, last_us, last_run_id)
    SELECT u.id, u.tenant_id, u.workflow_id, u.name, u.expression, u.zone, u.catch_up, ${orStaged('input')}, u.metadata, u.priority, u.enabled, u.is_declared, u.next_us, u.last_us, u.last_run_id
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::smallint[], $11::boolean[], $12::boolean[], $13::bigint[], $14::bigint[], $15::uuid[], $16::uuid[]) AS u (id, tenant_id, workflow_id, name, expression, zone, catch_up, input, metadata, priority, enabled, is_declared, next_us, last_us, last_run_id, staged)`,
  values: (rows, staged) => {
    const input = stagedArrays(
      rows.map((row) => row.input),
      staged,
    );
    return [
      plainArray(rows.map((row) => row.id)),
      plainArray(rows.map((row) => row.tenantId)),
      plainArray(rows.map((row) => row.workflowId)),
      textArray(rows.map((row) => row.name)),
      textArray(rows.map((row) => row.expression)),
      textArray(rows.map((row) => row.zone)),
      textArray(rows.map((row) => row.catchUp)),
      input.texts,
      textArray(rows.map((row) => row.metadata)),
      plainArray(rows.map((row) => row.priority)),
      boolArray(rows.map((row) => row.enabled)),
      boolArray(rows.map((row) => row.isDeclared)),
      plainArray(rows.map((row) => row.nextUs)),
      plainArray(rows.map((row) => row.lastUs)),
      plainArray(rows.map((row) => row.lastRunId)),
      input.ids,
    ];
  },
};

export const updateCrons: Statement<CronUpdateRow> = {
  name: 'update_crons',
  text: `
    UPDATE cron c SET next_us = u.next_us, enabled = u.enabled, last_error = u.last_error, last_us = u.last_us, last_run_id = u.last_run_id
    FROM unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::text[], $5::bigint[], $6::uuid[]) AS u (id, next_us, enabled, last_error, last_us, last_run_id)
    WHERE c.id = u.id`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.nextUs)),
    boolArray(rows.map((row) => row.enabled)),
    textArray(rows.map((row) => row.lastError)),
    plainArray(rows.map((row) => row.lastUs)),
    plainArray(rows.map((row) => row.lastRunId)),
  ],
};

export const deleteCrons: Statement<string> = {
  name: 'delete_crons',
  text: `DELETE FROM cron c USING unnest($1::uuid[]) AS u (id) WHERE c.id = u.id`,
  values: (ids) => [plainArray(ids)],
};

export const insertSchedules: Statement<ScheduleRow> = {
  name: 'insert_schedules',
  text: `
    INSERT INTO schedule (id, tenant_id, workflow_id, due_us, input, metadata, priority, parent_task_id)
    SELECT u.id, u.tenant_id, u.workflow_id, u.due_us, ${orStaged('input')}, u.metadata, u.priority, u.parent_task_id
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::jsonb[], $7::smallint[], $8::uuid[], $9::uuid[]) AS u (id, tenant_id, workflow_id, due_us, input, metadata, priority, parent_task_id, staged)`,
  values: (rows, staged) => {
    const input = stagedArrays(
      rows.map((row) => row.input),
      staged,
    );
    return [
      plainArray(rows.map((row) => row.id)),
      plainArray(rows.map((row) => row.tenantId)),
      plainArray(rows.map((row) => row.workflowId)),
      plainArray(rows.map((row) => row.dueUs)),
      input.texts,
      textArray(rows.map((row) => row.metadata)),
      plainArray(rows.map((row) => row.priority)),
      plainArray(rows.map((row) => row.parentTaskId)),
      input.ids,
    ];
  },
};

export const updateSchedules: Statement<ScheduleUpdateRow> = {
  name: 'update_schedules',
  text: `
    UPDATE schedule s SET due_us = u.due_us, run_id = u.run_id, error = u.error
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[]) AS u (id, due_us, run_id, error)
    WHERE s.id = u.id`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.dueUs)),
    plainArray(rows.map((row) => row.runId)),
    textArray(rows.map((row) => row.error)),
  ],
};

export const deleteSchedules: Statement<string> = {
  name: 'delete_schedules',
  text: `DELETE FROM schedule s USING unnest($1::uuid[]) AS u (id) WHERE s.id = u.id`,
  values: (ids) => [plainArray(ids)],
};
