import { readDeliveries } from '../../../../engine/shard/facts/load-deliveries.ts';
import { readEnds } from '../../../../engine/shard/facts/load-ends.ts';
import { readClaims } from '../../../../engine/shard/facts/load-key-claims.ts';
import { readReusableChildren } from '../../../../engine/shard/facts/reusable-children.ts';
import * as ids from '../../../../engine/shard/facts/load-stored-ids.ts';
import * as replay from '../../../../engine/shard/facts/load-stored-runs.ts';
import { readWakingEvent } from '../../../../engine/shard/facts/waking-events.ts';
import { readEvents } from '../../../../engine/shard/facts/look-back.ts';
import { big, byText, selected, type StatementModel } from '../statement.ts';
import { newestEnd, tasksOf } from './rows-of-a-run.ts';

const deliveries: StatementModel = {
  text: readDeliveries.text,
  run: ({ tables, transaction }, parameters) => {
    const webhooks = parameters.all(2, 'uuid');
    const keys = parameters.all(3, 'uuid');
    const now = parameters.all(4, 'bigint');
    return selected(
      parameters.all(1, 'integer').flatMap((at, place) => {
        const row = tables.webhook_delivery.get(transaction, webhooks[place] ?? '', keys[place] ?? '');
        return row === undefined || row.expires_us <= (now[place] ?? 0) ? [] : [{ at, event_id: row.event_id }];
      }),
    );
  },
};

const ends: StatementModel = {
  text: readEnds.text,
  run: (context, parameters) =>
    selected(
      parameters.all(1, 'uuid').flatMap((id) => {
        if (context.tables.run.get(context.transaction, id) === undefined) return [];
        const end = newestEnd(context, id);
        return [{ id, status: end?.status ?? null, generation: end?.generation ?? null }];
      }),
    ),
};

const claims: StatementModel = {
  text: readClaims.text,
  run: ({ tables, transaction }, parameters) => {
    const keys = parameters.all(2, 'text');
    return selected(
      parameters.all(1, 'uuid').flatMap((tenantId, at) => {
        const row = tables.idempotency.get(transaction, tenantId, keys[at] ?? '');
        return row === undefined ? [] : [{ ...row, expires_us: big(row.expires_us) }];
      }),
    );
  },
};

const existingRuns: StatementModel = {
  text: ids.readRuns.text,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters.all(1, 'uuid').flatMap((id) => (tables.run.get(transaction, id) === undefined ? [] : [{ id }])),
    ),
};

const reusableRuns: StatementModel = {
  text: readReusableChildren.text,
  run: (context, parameters) =>
    selected(
      parameters.all(1, 'uuid').flatMap((id) => {
        if (context.tables.run.get(context.transaction, id) === undefined) return [];
        const status = newestEnd(context, id)?.status;
        return status === 4 || status === 5 ? [] : [{ id }];
      }),
    ),
};

const existingEvents: StatementModel = {
  text: ids.readEvents.text,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters.all(1, 'uuid').flatMap((id) => (tables.event.get(transaction, id) === undefined ? [] : [{ id }])),
    ),
};

const existingSchedules: StatementModel = {
  text: ids.readSchedules.text,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters.all(1, 'uuid').flatMap((id) => (tables.schedule.get(transaction, id) === undefined ? [] : [{ id }])),
    ),
};

const replayRuns: StatementModel = {
  text: replay.readRuns.text,
  run: ({ tables, transaction }, parameters) => {
    const tenantId = parameters.one(1, 'uuid');
    const asked = new Map<string, string[]>();
    for (const id of parameters.all(2, 'uuid')) {
      const runId = tables.task.get(transaction, id)?.run_id ?? id;
      asked.set(runId, [...(asked.get(runId) ?? []), id]);
    }
    const rows = [...asked].flatMap(([id, by]) => {
      const run = tables.run.get(transaction, id);
      if (run === undefined || run.tenant_id !== tenantId) return [];
      const { version_id, priority, placement } = run;
      return [{ id, version_id, priority, placement, input_length: charactersOf(run.input), asked: by }];
    });
    return selected(rows.sort((a, b) => byText(a.id, b.id)));
  },
};

/** `length(…)`: characters, not the halves of them that JavaScript counts. */
function charactersOf(text: string): number {
  return Array.from(text).length;
}

const replayTasks: StatementModel = {
  text: replay.readTasks.text,
  run: (context, parameters) => {
    const { tables, transaction } = context;
    const skipped = parameters.one(2, 'text');
    const rows = parameters
      .all(1, 'uuid')
      .flatMap((runId) => tasksOf(context, runId))
      .sort((a, b) => byText(a.run_id, b.run_id) || a.step - b.step);
    return selected(
      rows.map(({ run_id, id, step }) => {
        const [newest] = tables.result.find(transaction, 'task_id', id).sort((a, b) => b.generation - a.generation);
        const output = newest?.output ?? null;
        return {
          run_id,
          id,
          step,
          generation: newest?.generation ?? null,
          attempt: newest?.attempt ?? null,
          invocation: newest?.invocation ?? null,
          status: newest?.status ?? null,
          skipped: output === null ? null : output === skipped,
          output_length: output === null ? null : charactersOf(output),
          output_bytes: output === null ? null : Buffer.byteLength(output),
        };
      }),
    );
  },
};

const replayPayloads: StatementModel = {
  text: replay.readPayloads.text,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters.all(1, 'uuid').flatMap((id) => {
        const run = tables.run.get(transaction, id);
        return run === undefined
          ? []
          : [{ id, input: run.input, metadata: run.metadata, filterPayload: run.filter_payload }];
      }),
    ),
};

const replayOutputs: StatementModel = {
  text: replay.readOutputs.text,
  run: ({ tables, transaction }, parameters) => {
    const generations = parameters.allOrNull(2, 'integer');
    return selected(
      parameters.all(1, 'uuid').flatMap((id, at) => {
        const generation = generations[at] ?? null;
        const row = generation === null ? undefined : tables.result.get(transaction, id, generation);
        return row === undefined ? [] : [{ id, output: row.output }];
      }),
    );
  },
};

const lookBack: StatementModel = {
  text: readEvents.text,
  run: ({ tables, transaction }, parameters) => {
    const tenantId = parameters.one(1, 'uuid');
    const key = parameters.one(3, 'text');
    const from = parameters.one(4, 'uuid');
    return selected(
      tables.event
        .find(transaction, 'scope', parameters.one(2, 'text'))
        .filter((row) => row.tenant_id === tenantId && row.key === key && row.id >= from)
        .sort((a, b) => byText(a.id, b.id))
        .slice(0, parameters.one(5, 'bigint'))
        .map(({ id, payload }) => ({ id, payload })),
    );
  },
};

const wakingEvent: StatementModel = {
  text: readWakingEvent.text,
  run: ({ tables, transaction }, parameters) => {
    const row = tables.event.get(transaction, parameters.one(1, 'uuid'));
    return selected(row === undefined ? [] : [{ scope: row.scope, payload: row.payload }]);
  },
};

/** What commands need that memory lacks, but for the logs of durable tasks. */
export const factStatements = [
  deliveries,
  ends,
  claims,
  existingRuns,
  reusableRuns,
  existingEvents,
  existingSchedules,
  replayRuns,
  replayTasks,
  replayPayloads,
  replayOutputs,
  lookBack,
  wakingEvent,
];
