import type { LiveRow } from '../../model/stored-rows.ts';
import { plainArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

/** Only what can change after the insert; the key never does, so updates stay HOT. */
export const updateLive: Statement<LiveRow> = {
  name: 'update_live',
  text: `
    UPDATE live l
    SET state = u.state, flags = u.flags, generation = u.generation, attempt = u.attempt, retries = u.retries, reassigns = u.reassigns,
      seq = u.seq, due_us = u.due_us, worker_id = u.worker_id, batch_id = u.batch_id, invocation = u.invocation,
      deaths = u.deaths, unanswered = u.unanswered
    FROM unnest($1::uuid[], $2::smallint[], $3::smallint[], $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::bigint[], $9::bigint[], $10::uuid[], $11::uuid[], $12::integer[], $13::smallint[], $14::smallint[])
      AS u (task_id, state, flags, generation, attempt, retries, reassigns, seq, due_us, worker_id, batch_id, invocation, deaths, unanswered)
    WHERE l.task_id = u.task_id`,
  values: (rows) => [
    plainArray(rows.map((row) => row.taskId)),
    plainArray(rows.map((row) => row.state)),
    plainArray(rows.map((row) => row.flags)),
    plainArray(rows.map((row) => row.generation)),
    plainArray(rows.map((row) => row.attempt)),
    plainArray(rows.map((row) => row.retries)),
    plainArray(rows.map((row) => row.reassigns)),
    plainArray(rows.map((row) => row.seq)),
    plainArray(rows.map((row) => row.dueUs)),
    plainArray(rows.map((row) => row.workerId)),
    plainArray(rows.map((row) => row.batchId)),
    plainArray(rows.map((row) => row.invocation)),
    plainArray(rows.map((row) => row.deaths)),
    plainArray(rows.map((row) => row.unanswered)),
  ],
};
