import { runPayloads, taskErrors, taskInputs, taskOutputs } from '../../../../engine/monitor/payload-reads.ts';
import { readPayloads } from '../../../../engine/shard/fire-crons-and-schedules.ts';
import { selected, type Context, type StatementModel } from '../statement.ts';

const runs: StatementModel = {
  text: runPayloads.text,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters.all(1, 'uuid').flatMap((id) => {
        const run = tables.run.get(transaction, id);
        return run === undefined
          ? []
          : [
              {
                id,
                input: run.input,
                metadata: run.metadata,
                filterPayload: run.filter_payload,
                parentTaskId: run.parent_task_id,
                childIndex: run.child_index,
                childKey: run.child_key,
              },
            ];
      }),
    ),
};

/** Of a task, the newest result up to a generation. */
function resultUpTo(
  { tables, transaction }: Context,
  taskId: string,
  generation: number,
): { output: string | null; error: string | null } | undefined {
  return tables.result
    .find(transaction, 'task_id', taskId)
    .filter((row) => row.generation <= generation)
    .sort((a, b) => b.generation - a.generation)[0];
}

const outputs: StatementModel = {
  text: taskOutputs.text,
  run: (context, parameters) => {
    const generations = parameters.all(2, 'integer');
    return selected(
      parameters.all(1, 'uuid').flatMap((id, at) => {
        const output = resultUpTo(context, id, generations[at] ?? 0)?.output ?? null;
        return output === null ? [] : [{ task_id: id, output }];
      }),
    );
  },
};

const errors: StatementModel = {
  text: taskErrors.text,
  run: (context, parameters) => {
    const generations = parameters.all(2, 'integer');
    return selected(
      parameters.all(1, 'uuid').flatMap((id, at) => {
        const error = resultUpTo(context, id, generations[at] ?? 0)?.error ?? null;
        return error === null ? [] : [{ task_id: id, error }];
      }),
    );
  },
};

const inputs: StatementModel = {
  text: taskInputs.text,
  run: ({ tables, transaction }, parameters) => {
    const branches = parameters.all(2, 'integer');
    return selected(
      parameters.all(1, 'uuid').flatMap((id, at) => {
        const payload = tables.durable_result.get(transaction, id, branches[at] ?? 0, 0, -1)?.payload ?? null;
        return payload === null ? [] : [{ task_id: id, payload }];
      }),
    );
  },
};

const timers: StatementModel = {
  text: readPayloads.text,
  run: ({ tables, transaction }, parameters) => {
    const ids = parameters.all(1, 'uuid');
    return selected([
      ...ids.flatMap((id) => {
        const cron = tables.cron.get(transaction, id);
        return cron === undefined
          ? []
          : [{ id, input: cron.input, metadata: cron.metadata, priority: cron.priority, parentTaskId: null }];
      }),
      ...ids.flatMap((id) => {
        const schedule = tables.schedule.get(transaction, id);
        if (schedule === undefined) return [];
        const { input, metadata, priority, parent_task_id } = schedule;
        return [{ id, input, metadata, priority, parentTaskId: parent_task_id }];
      }),
    ]);
  },
};

/** Payloads for dispatch and for timers. */
export const payloadStatements = [runs, outputs, errors, inputs, timers];
