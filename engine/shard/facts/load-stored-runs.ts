import type { Sql } from '../../postgres/sql-client.ts';
import type { CelResult } from '../../cel/cel-result.ts';
import { CelVariables } from '../../cel/cel-variables.ts';
import type { RunPlacement } from '../../model/task/demands.ts';
import type { BranchPoint } from '../../model/durable/durable.ts';
import { groupBy } from '../../model/group-by.ts';
import { skippedOutput } from '../../model/task/skipped-output.ts';
import { isRunStatus, type RunStatus } from '../../model/task/status.ts';
import type { StoredRun, StoredTask } from '../../plan/lifecycle/stored-run.ts';
import { chosenSteps } from '../../plan/lifecycle/replay-run.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { Version } from '../../plan/state/workflow-version.ts';
import { readBranchPoints } from './stored-durable-logs.ts';
import { asksAnything, evaluateDemands } from '../prepare/evaluate-demands.ts';
import { childExpressions } from '../../plan/conditions/output-expressions.ts';
import { expressionsOf } from '../job.ts';
import type { Asking } from './command-needs.ts';
import type { JobExpressions } from './job-expressions.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { tasksOf } from '../../postgres/rows-of-a-run.ts';

/**
 * Characters of inputs and outputs that the replays of one transaction may bring; the run that goes over it is the last.
 * The lane waits while they are read and expressions look at them, so the rest comes with later transactions.
 */
const transactionChars = 8 * 1024 * 1024;

interface RunSqlRow {
  id: string;
  version_id: string;
  priority: number;
  placement: string | null;
  input_length: number;
  asked: string[];
}

interface TaskSqlRow {
  run_id: string;
  id: string;
  step: number;
  generation: number | null;
  attempt: number | null;
  invocation: number | null;
  status: number | null;
  skipped: boolean | null;
  output_length: number | null;
  output_bytes: number | null;
}

/** By the ids of runs or of tasks. */
export const readRuns = {
  name: 'replay_runs',
  text: `
    SELECT r.id, r.version_id, r.priority, r.placement, length(r.input) AS input_length, u.asked
    FROM (
      SELECT coalesce(t.run_id, u.id) AS id, array_agg(u.id) AS asked FROM unnest($2::uuid[]) AS u (id) LEFT JOIN task t ON t.id = u.id GROUP BY 1
    ) u
    JOIN run r ON r.id = u.id AND r.tenant_id = $1
    ORDER BY r.id`,
};

export const readTasks = {
  name: 'replay_tasks',
  text: `
    SELECT t.run_id, t.id, t.step, x.generation, x.attempt, x.invocation, x.status, x.output = $2 AS skipped, length(x.output) AS output_length, octet_length(x.output) AS output_bytes
    FROM unnest($1::uuid[]) AS u (id)
    JOIN run r ON r.id = u.id
    JOIN LATERAL ${tasksOf('r')} t ON true
    LEFT JOIN LATERAL (SELECT * FROM result x WHERE x.task_id = t.id ORDER BY x.generation DESC LIMIT 1) x ON true
    ORDER BY t.run_id, t.step`,
};

export const readPayloads = {
  name: 'replay_payloads',
  text: `SELECT r.id, r.input, r.metadata::text AS metadata, r.filter_payload AS "filterPayload" FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id`,
};

export const readOutputs = {
  name: 'replay_outputs',
  text: `
    SELECT x.task_id AS id, x.output FROM unnest($1::uuid[], $2::integer[]) AS u (task_id, generation)
    JOIN result x ON x.task_id = u.task_id AND x.generation = u.generation`,
};

/** One run on its way: what must still be read for it. */
interface Draft {
  row: RunSqlRow;
  version: Version;
  placement: RunPlacement;
  tasks: readonly TaskSqlRow[];
  asks: boolean;
  /** Tasks that stay as they are, and whose outputs conditions look at. */
  lookedAt: readonly TaskSqlRow[];
}

/** What a command that lets runs run again gets of them. */
export interface StoredRuns {
  storedRuns: readonly StoredRun[];
  deferredIds: readonly string[];
}

/** The runs that are to run again, as they are stored, with their expressions evaluated anew. */
export async function loadStoredRuns(client: Sql, asking: readonly Asking[]): Promise<ReadonlyMap<Asking, StoredRuns>> {
  const found = new Map<Asking, StoredRuns>();
  let left = transactionChars;
  for (const each of asking) {
    const { job, state, needs } = each;
    const ids = needs.again ?? [];
    const { tenantId } = job;
    if (ids.length === 0 || tenantId === undefined) continue;
    const drafts = await readDrafts(client, state, { tenantId, ids });
    // After an uncertain try, one that has moved on since it was first looked at does not run again.
    if (!job.mayBeDone)
      job.firstSeen = {
        ...job.firstSeen,
        generations: new Map(drafts.map((draft) => [draft.row.id, generationOf(draft)])),
      };
    const generations = job.firstSeen?.generations;
    const taken: Draft[] = [];
    const deferredIds: string[] = [];
    for (const draft of drafts) {
      if (generationOf(draft) > (generations?.get(draft.row.id) ?? Infinity)) continue;
      if (left > 0) taken.push(draft);
      else deferredIds.push(...draft.row.asked);
      left -= sizeOf(draft);
    }
    found.set(each, { storedRuns: await loadDrafts(client, expressionsOf(job), taken), deferredIds });
  }
  return found;
}

async function readDrafts(
  client: Sql,
  state: ShardState,
  { tenantId, ids }: { tenantId: TenantId; ids: readonly string[] },
): Promise<Draft[]> {
  const runs = await client.query<RunSqlRow>({ ...readRuns, values: [tenantId, ids] });
  const tasks = await client.query<TaskSqlRow>({
    ...readTasks,
    values: [runs.rows.map((row) => row.id), skippedOutput],
  });
  const byRun = groupBy(tasks.rows, (task) => task.run_id);
  const wanted = new Set(ids);
  return runs.rows.flatMap((row) => {
    const version = state.versions.get(row.version_id);
    return version === undefined ? [] : [draftOf({ row, version, tasks: byRun.get(row.id) ?? [], wanted })];
  });
}

function draftOf(options: {
  row: RunSqlRow;
  version: Version;
  tasks: readonly TaskSqlRow[];
  wanted: ReadonlySet<string>;
}): Draft {
  const { row, version, tasks, wanted } = options;
  const placement: RunPlacement =
    row.placement === null ? { labels: [], desiredWorkerId: null } : JSON.parse(row.placement);
  const chosen = chosenSteps(
    { runId: row.id, tasks: tasks.map((task) => ({ id: task.id, step: task.step, status: statusOf(task.status) })) },
    version,
    wanted,
  );
  const seen = new Set(
    [...chosen].flatMap((step) =>
      (version.definition.steps[step]?.conditions ?? []).flatMap((condition) =>
        condition.kind === 'parent' ? [condition.parent] : [],
      ),
    ),
  );
  return {
    row,
    version,
    placement,
    tasks,
    asks: asksAnything(version, placement),
    lookedAt: tasks.filter((task) => seen.has(task.step) && !chosen.has(task.step) && task.output_length !== null),
  };
}

function generationOf(draft: Draft): number {
  return Math.max(1, ...draft.tasks.map((task) => task.generation ?? 1));
}

function sizeOf(draft: Draft): number {
  return (
    (draft.asks ? draft.row.input_length : 0) + draft.lookedAt.reduce((sum, task) => sum + (task.output_length ?? 0), 0)
  );
}

async function loadDrafts(client: Sql, expressions: JobExpressions, drafts: readonly Draft[]): Promise<StoredRun[]> {
  const asking = drafts.filter((draft) => draft.asks);
  const payloads =
    asking.length === 0
      ? []
      : (
          await client.query<{ id: string; input: string; metadata: string; filterPayload: string | null }>({
            ...readPayloads,
            values: [asking.map(({ row }) => row.id)],
          })
        ).rows;
  const payloadOf = new Map(payloads.map((payload) => [payload.id, payload]));
  const lookedAt = drafts.flatMap((draft) => draft.lookedAt);
  const outputs =
    lookedAt.length === 0
      ? []
      : (
          await client.query<{ id: string; output: string }>({
            ...readOutputs,
            values: [lookedAt.map((task) => task.id), lookedAt.map((task) => task.generation)],
          })
        ).rows;
  const outputOf = new Map(outputs.map(({ id, output }) => [id, output]));
  const branches = await readBranchPoints(
    client,
    drafts.flatMap(({ version, tasks }) =>
      tasks.filter((task) => version.definition.steps[task.step]?.durable === true).map((task) => task.id),
    ),
  );
  return Promise.all(
    drafts.map(async ({ row, version, placement, tasks }): Promise<StoredRun> => {
      const payload = payloadOf.get(row.id);
      const demands =
        payload === undefined
          ? null
          : await evaluateDemands(expressions.at(row.id), version, {
              runId: row.id,
              input: payload.input,
              metadata: payload.metadata,
              filterPayload: payload.filterPayload,
              ...placement,
            });
      return {
        runId: row.id,
        versionId: row.version_id,
        priority: row.priority,
        tasks: tasks.map((task) =>
          loadedTask(expressions, version, {
            sql: task,
            output: outputOf.get(task.id) ?? null,
            branches: branches.get(task.id) ?? [],
          }),
        ),
        demands,
      };
    }),
  );
}

function loadedTask(
  expressions: JobExpressions,
  version: Version,
  { sql, output, branches }: { sql: TaskSqlRow; output: string | null; branches: readonly BranchPoint[] },
): StoredTask {
  const skipped = sql.skipped === true;
  const evaluated = new Map<string, CelResult>();
  if (output !== null && !skipped) {
    const variables = new CelVariables({ output });
    for (const expression of childExpressions(version, sql.step)) {
      const result = expressions.find(`${sql.id} ${sql.generation ?? 1}`, expression, variables);
      if (result !== undefined) evaluated.set(expression, result);
    }
  }
  return {
    id: sql.id,
    step: sql.step,
    generation: sql.generation ?? 1,
    attempt: sql.attempt ?? 0,
    invocation: sql.invocation ?? 0,
    branches,
    status: statusOf(sql.status),
    skipped,
    output,
    outputBytes: sql.output_bytes ?? 0,
    evaluated,
  };
}

function statusOf(status: number | null): RunStatus | null {
  return status !== null && isRunStatus(status) ? status : null;
}
