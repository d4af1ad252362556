import * as definitions from '../../../../engine/shard/recovery/recover-definitions.ts';
import { readFilters } from '../../../../engine/shard/recovery/recover-filters.ts';
import { readRateLimits } from '../../../../engine/shard/recovery/recover-rate-limits.ts';
import * as durable from '../../../../engine/shard/recovery/recover-durable.ts';
import { readRunTasks } from '../../../../engine/shard/recovery/recover-runs.ts';
import { readLive } from '../../../../engine/shard/recovery/recover-tasks.ts';
import * as timers from '../../../../engine/shard/recovery/recover-timers.ts';
import { readWaits } from '../../../../engine/shard/recovery/recover-waits.ts';
import { readWakings } from '../../../../engine/shard/recovery/recover-wakings.ts';
import * as aside from '../../../../engine/shard/recovery/set-aside.ts';
import * as contents from '../../../../engine/shard/recovery/shard-contents.ts';
import type { Tables } from '../schema.ts';
import { big, byText, selected, type Context, type StatementModel } from '../statement.ts';

const dayUs = 86_400_000_000;

type Row<T> = T extends { committed(): Iterable<infer R> } ? R : never;
type WorkerRow = Row<Tables['worker']>;

const versions: StatementModel = {
  text: definitions.readVersions,
  run: ({ tables, transaction }, parameters) => {
    const rows = parameters
      .all(1, 'uuid')
      .flatMap((tenantId) => tables.workflow.find(transaction, 'tenant_id', tenantId))
      .flatMap(({ id }) => tables.workflow_version.find(transaction, 'workflow_id', id))
      .sort((a, b) => byText(a.workflow_id, b.workflow_id) || a.ordinal - b.ordinal);
    return selected(
      rows.map(({ id, workflow_id, tenant_id, ordinal, checksum, definition }) => {
        const parsed: unknown = JSON.parse(definition);
        return { id, workflow_id, tenant_id, ordinal, checksum, definition: parsed };
      }),
    );
  },
};

const pauses: StatementModel = {
  text: definitions.readPauses,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .flatMap((tenantId) => tables.workflow.find(transaction, 'tenant_id', tenantId))
        .filter((row) => row.paused || row.resumed_us !== null || row.deleted)
        .map(({ id, paused, drops_crons, drops_schedules, queue_ttl_ms, resumed_us, deleted }) => ({
          id,
          paused,
          drops_crons,
          drops_schedules,
          queue_ttl_ms: queue_ttl_ms === null ? null : big(queue_ttl_ms),
          resumed_us: resumed_us === null ? null : big(resumed_us),
          deleted,
        })),
    ),
};

function workerAnswer(row: WorkerRow, ended: boolean): Record<string, unknown> {
  const parsed = (text: string): unknown => JSON.parse(text);
  const { id, tenant_id, name, actions } = row;
  return {
    id,
    tenant_id,
    name,
    actions: [...actions],
    slots: parsed(row.slots),
    labels: parsed(row.labels),
    runtime: parsed(row.runtime),
    paused: row.paused,
    ended,
  };
}

const workers: StatementModel = {
  text: definitions.readWorkers,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .flatMap((tenantId) => tables.worker.find(transaction, 'tenant_id', tenantId))
        .filter(
          (row) => row.ended_at === null && (row.last_heartbeat_at ?? row.registered_at) > transaction.nowUs - dayUs,
        )
        .sort((a, b) => byText(a.id, b.id))
        .map((row) => workerAnswer(row, false)),
    ),
};

const workersById: StatementModel = {
  text: definitions.readWorkersById,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .flatMap((id) => tables.worker.get(transaction, id) ?? [])
        .sort((a, b) => byText(a.id, b.id))
        .map((row) => workerAnswer(row, row.ended_at !== null)),
    ),
};

const rateLimits: StatementModel = {
  text: readRateLimits,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .flatMap((tenantId) => tables.rate_limit.find(transaction, 'tenant_id', tenantId))
        .sort((a, b) => byText(a.tenant_id, b.tenant_id) || byText(a.key, b.key))
        .map((row) => ({
          ...row,
          size: big(row.size),
          window_size: big(row.window_size),
          window_start_us: big(row.window_start_us),
          used: big(row.used),
          paused_until_us: big(row.paused_until_us),
        })),
    ),
};

const filters: StatementModel = {
  text: readFilters,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .flatMap((tenantId) => tables.filter.find(transaction, 'tenant_id', tenantId))
        .map(({ id, tenant_id, workflow_id, scope, expression, payload, is_declared }) => ({
          id,
          tenant_id,
          workflow_id,
          scope,
          expression,
          payload,
          is_declared,
        })),
    ),
};

const links: StatementModel = {
  text: durable.readLinks,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .flatMap((id) => tables.durable_entry.find(transaction, 'child_run_id', id))
        .filter(
          (entry) => tables.durable_result.get(transaction, entry.task_id, entry.branch, entry.node, -1) === undefined,
        )
        .map(({ child_run_id, task_id, branch, node }) => ({ child_run_id, task_id, branch, node })),
    ),
};

const points: StatementModel = {
  text: durable.readPoints,
  run: ({ tables, transaction }, parameters) =>
    selected(
      tables.live
        .find(transaction, 'shard', parameters.one(1, 'smallint'))
        .flatMap(({ task_id }) => tables.durable_entry.find(transaction, 'task_id', task_id))
        .filter((entry) => entry.kind === 0)
        .sort((a, b) => byText(a.task_id, b.task_id) || a.branch - b.branch)
        .map(({ task_id, branch, node, asked }) => ({ task_id, branch, node, asked })),
    ),
};

const listening: StatementModel = {
  text: durable.readListening,
  run: ({ tables, transaction }, parameters) =>
    selected([
      {
        listens: parameters
          .all(1, 'uuid')
          .some((tenantId) => tables.durable_listen.find(transaction, 'tenant_id', tenantId).length > 0),
      },
    ]),
};

/** Of a task, the newest result of a range of generations. */
function newestResult(
  { tables, transaction }: Context,
  taskId: string,
  [first, last]: readonly [number, number],
): Row<Tables['result']> | undefined {
  let newest: Row<Tables['result']> | undefined;
  for (const row of tables.result.find(transaction, 'task_id', taskId))
    if (row.generation >= first && row.generation <= last && row.generation > (newest?.generation ?? -Infinity))
      newest = row;
  return newest;
}

const runTasks: StatementModel = {
  text: readRunTasks,
  run: (context, parameters) => {
    const { tables, transaction } = context;
    const generations = parameters.all(2, 'integer');
    const rows = parameters.all(1, 'uuid').flatMap((runId, at) =>
      tables.task.find(transaction, 'run_id', runId).map((task) => {
        const first = tables.live.get(transaction, task.id)?.generation ?? 1;
        return { task, result: newestResult(context, task.id, [first, generations[at] ?? 0]) };
      }),
    );
    return selected(
      rows
        .sort((a, b) => byText(a.task.run_id, b.task.run_id) || a.task.step - b.task.step)
        .map(({ task: { run_id, id, step }, result }) => {
          const output = result?.output ?? null;
          return {
            run_id,
            id,
            step,
            status: result?.status ?? null,
            skipped: output === null ? null : output === '{"skipped": true}',
            bytes: output === null ? null : Buffer.byteLength(output),
          };
        }),
    );
  },
};

const live: StatementModel = {
  text: readLive,
  run: ({ tables, transaction }, parameters) => {
    const after = parameters.one(2, 'uuid');
    return selected(
      tables.live
        .find(transaction, 'shard', parameters.one(1, 'smallint'))
        .filter((row) => row.task_id > after)
        .sort((a, b) => byText(a.task_id, b.task_id))
        .slice(0, parameters.one(3, 'bigint'))
        .map((row) => ({ ...row, seq: big(row.seq), due_us: big(row.due_us) })),
    );
  },
};

const crons: StatementModel = {
  text: timers.readCrons,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .flatMap((tenantId) => tables.cron.find(transaction, 'tenant_id', tenantId))
        .map((row) => ({
          id: row.id,
          tenant_id: row.tenant_id,
          workflow_id: row.workflow_id,
          name: row.name,
          expression: row.expression,
          zone: row.zone,
          catch_up: row.catch_up,
          enabled: row.enabled,
          is_declared: row.is_declared,
          priority: row.priority,
          next_us: big(row.next_us),
          last_us: row.last_us === null ? null : big(row.last_us),
          last_run_id: row.last_run_id,
          last_error: row.last_error,
        })),
    ),
};

const schedules: StatementModel = {
  text: timers.readSchedules,
  run: ({ tables, transaction }, parameters) => {
    const after = parameters.one(2, 'uuid');
    return selected(
      tables.schedule
        .find(transaction, 'tenant_id', parameters.one(1, 'uuid'))
        .filter((row) => row.id > after && row.run_id === null && row.error === null)
        .sort((a, b) => byText(a.id, b.id))
        .slice(0, parameters.one(3, 'bigint'))
        .map(({ id, tenant_id, workflow_id, due_us }) => ({ id, tenant_id, workflow_id, due_us: big(due_us) })),
    );
  },
};

const waits: StatementModel = {
  text: readWaits,
  run: ({ tables, transaction }, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .flatMap((id) => tables.wait.get(transaction, id) ?? [])
        .map(({ task_id, since_us, since_seq, resolved }) => ({
          task_id,
          since_us: big(since_us),
          since_seq: big(since_seq),
          resolved,
        })),
    ),
};

const wakings: StatementModel = {
  text: readWakings,
  run: ({ tables, transaction }, parameters) => {
    const after = parameters.one(2, 'bigint');
    return selected(
      tables.event_waking
        .find(transaction, 'shard', parameters.one(1, 'smallint'))
        .filter((row) => row.seq > after)
        .sort((a, b) => a.seq - b.seq)
        .slice(0, parameters.one(3, 'bigint'))
        .map(({ seq, event_id, tenant_id, key }) => ({ seq: big(seq), event_id, tenant_id, key })),
    );
  },
};

const setAside: StatementModel = {
  text: aside.replaceRows.text,
  run: ({ tables, transaction }, parameters) => {
    const shard = parameters.one(1, 'smallint');
    const kinds = parameters.all(2, 'text');
    const ids = parameters.all(3, 'text');
    const reasons = parameters.all(4, 'text');
    const found = new Set(ids.map((id, at) => `${kinds[at]}\0${id}`));
    for (const row of tables.set_aside.find(transaction, 'shard', shard))
      if (!found.has(`${row.kind}\0${row.id}`)) tables.set_aside.delete(transaction, row);
    for (const [at, id] of ids.entries()) {
      const values = { shard, kind: kinds[at] ?? '', id, reason: reasons[at] ?? '' };
      const present = tables.set_aside.existing(transaction, values, { locks: true });
      if (present === undefined) tables.set_aside.insert(transaction, values);
      else tables.set_aside.update(transaction, present, { reason: values.reason });
    }
    return { command: 'INSERT', rows: [], rowCount: ids.length };
  },
};

const noneAside: StatementModel = {
  text: aside.deleteRows.text,
  run: ({ tables, transaction }, parameters) => {
    let rowCount = 0;
    for (const shard of parameters.all(1, 'smallint'))
      for (const row of tables.set_aside.find(transaction, 'shard', shard)) {
        tables.set_aside.delete(transaction, row);
        rowCount++;
      }
    return { command: 'DELETE', rows: [], rowCount };
  },
};

const tenants: StatementModel = {
  text: contents.readTenants,
  run: ({ tables, transaction }) => selected([...tables.tenant.rows(transaction)].map(({ id }) => ({ id }))),
};

const tasks: StatementModel = {
  text: contents.countTasks,
  run: ({ tables, transaction }) => {
    const counts = new Map<number, number>();
    for (const { shard } of tables.live.rows(transaction)) counts.set(shard, (counts.get(shard) ?? 0) + 1);
    return selected([...counts].map(([shard, count]) => ({ shard, tasks: count })));
  },
};

/** What a shard is recovered from. */
export const recoveryStatements = [
  versions,
  pauses,
  workers,
  workersById,
  rateLimits,
  filters,
  links,
  points,
  listening,
  runTasks,
  live,
  crons,
  schedules,
  waits,
  wakings,
  setAside,
  noneAside,
  tenants,
  tasks,
];
