import type { DurableEntryRow, DurableListenRow, DurableNodeRef, DurableResultRow } from '../../model/stored-rows.ts';
import { plainArray, textArray } from '../array-literal.ts';
import { orStaged, stagedArrays, type Statement } from '../statement.ts';

/** The primary key (task, branch, node) is what makes a second entry at one place impossible. */
export const insertDurableEntries: Statement<DurableEntryRow> = {
  name: 'insert_durable_entries',
  text: `
    INSERT INTO durable_entry (task_id, branch, node, kind, fingerprint, asked, invocation, seq, child_run_id)
    SELECT * FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::smallint[], $5::text[], $6::text[], $7::integer[], $8::bigint[], $9::uuid[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.taskId)),
    plainArray(rows.map((row) => row.branch)),
    plainArray(rows.map((row) => row.node)),
    plainArray(rows.map((row) => row.kind)),
    textArray(rows.map((row) => row.fingerprint)),
    textArray(rows.map((row) => row.asked)),
    plainArray(rows.map((row) => row.invocation)),
    plainArray(rows.map((row) => row.seq)),
    plainArray(rows.map((row) => row.childRunId)),
  ],
};

/** The primary key (task, branch, node, condition) is what makes a second satisfaction impossible. */
export const insertDurableResults: Statement<DurableResultRow> = {
  name: 'insert_durable_results',
  text: `
    INSERT INTO durable_result (task_id, branch, node, condition, seq, status, payload, generation)
    SELECT u.task_id, u.branch, u.node, u.condition, u.seq, u.status, ${orStaged('payload')}, u.generation
    FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::smallint[], $5::bigint[], $6::smallint[], $7::text[], $8::integer[], $9::uuid[]) AS u (task_id, branch, node, condition, seq, status, payload, generation, staged)`,
  values: (rows, staged) => {
    const payload = stagedArrays(
      rows.map((row) => row.payload),
      staged,
    );
    return [
      plainArray(rows.map((row) => row.taskId)),
      plainArray(rows.map((row) => row.branch)),
      plainArray(rows.map((row) => row.node)),
      plainArray(rows.map((row) => row.condition)),
      plainArray(rows.map((row) => row.seq)),
      plainArray(rows.map((row) => row.status)),
      payload.texts,
      plainArray(rows.map((row) => row.generation)),
      payload.ids,
    ];
  },
};

/** A wait that a replay asks again listens already, since it was asked first, unless the task had ended in between. */
export const insertDurableListens: Statement<DurableListenRow> = {
  name: 'insert_durable_listens',
  text: `
    INSERT INTO durable_listen (task_id, branch, node, condition, tenant_id, event_key, scope, guard, expression, seq)
    SELECT * FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::smallint[], $5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::bigint[])
    ON CONFLICT DO NOTHING`,
  values: (rows) => [
    plainArray(rows.map((row) => row.taskId)),
    plainArray(rows.map((row) => row.branch)),
    plainArray(rows.map((row) => row.node)),
    plainArray(rows.map((row) => row.condition)),
    plainArray(rows.map((row) => row.tenantId)),
    textArray(rows.map((row) => row.eventKey)),
    textArray(rows.map((row) => row.scope)),
    plainArray(rows.map((row) => row.guard)),
    textArray(rows.map((row) => row.expression)),
    plainArray(rows.map((row) => row.seq)),
  ],
};

export const deleteDurableListens: Statement<DurableNodeRef> = {
  name: 'delete_durable_listens',
  text: `
    DELETE FROM durable_listen l USING unnest($1::uuid[], $2::integer[], $3::integer[]) AS u (task_id, branch, node)
    WHERE l.task_id = u.task_id AND l.branch = u.branch AND l.node = u.node`,
  values: (rows) => [
    plainArray(rows.map((row) => row.taskId)),
    plainArray(rows.map((row) => row.branch)),
    plainArray(rows.map((row) => row.node)),
  ],
};

export const deleteDurableTasks: Statement<string> = {
  name: 'delete_durable_tasks',
  text: `DELETE FROM durable_listen l USING unnest($1::uuid[]) AS u (task_id) WHERE l.task_id = u.task_id`,
  values: (ids) => [plainArray(ids)],
};
