import type { ClientBase } from 'pg';
import type { CelEvaluator } from '../cel/cel-evaluator.ts';
import { compileCel } from '../cel/compile-cel.ts';
import { skippedOutput } from '../model/payload.ts';
import { isRunStatus, type RunStatus } from '../model/status.ts';
import type { LoadedRun, LoadedTask, ReplayCommand } from '../plan/command.ts';
import type { ShardState, Version } from '../plan/shard-state.ts';
import { evaluateDemands } from './evaluate-demands.ts';

interface RunSqlRow {
  id: string;
  version_id: string;
  priority: number;
}

interface TaskSqlRow {
  run_id: string;
  id: string;
  step: number;
  generation: number | null;
  attempt: number | null;
  status: number | null;
  output: string | null;
}

/** By the ids of runs or of tasks. */
const readRuns = {
  name: 'replay_runs',
  text: `
    SELECT r.id, r.version_id, r.priority
    FROM (SELECT DISTINCT coalesce(t.run_id, u.id) AS id FROM unnest($2::uuid[]) AS u (id) LEFT JOIN task t ON t.id = u.id) u
    JOIN run r ON r.id = u.id AND r.tenant_id = $1`,
};

/** Outputs only where a condition may look at them. */
const readTasks = {
  name: 'replay_tasks',
  text: `
    SELECT t.run_id, t.id, t.step, x.generation, x.attempt, x.status,
      CASE WHEN u.outputs OR x.output = $3 THEN x.output END AS output
    FROM unnest($1::uuid[], $2::boolean[]) AS u (id, outputs)
    JOIN task t ON t.run_id = u.id
    LEFT JOIN LATERAL (SELECT * FROM result x WHERE x.task_id = t.id ORDER BY x.generation DESC LIMIT 1) x ON true
    ORDER BY t.run_id, t.step`,
};

const readPayloads = {
  name: 'replay_payloads',
  text: `SELECT r.id, r.input, r.metadata::text AS metadata FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id`,
};

/** The ended runs that a replay asks for, as they were, with their expressions evaluated anew. */
export async function loadReplays(sources: { client: ClientBase; cel: CelEvaluator; state: ShardState }, command: ReplayCommand): Promise<void> {
  const { client, state } = sources;
  const runs = await client.query<RunSqlRow>({ ...readRuns, values: [command.tenantId, command.ids] });
  const known = runs.rows.flatMap((row) => {
    const version = state.versions.get(row.version_id);
    return version === undefined ? [] : [{ row, version }];
  });
  const looksAtOutputs = known.map(({ version }) => version.definition.steps.some((step) => step.conditions.some((condition) => condition.kind === 'parent')));
  const tasks = await client.query<TaskSqlRow>({ ...readTasks, values: [known.map(({ row }) => row.id), looksAtOutputs, skippedOutput] });
  const asking = known.filter(({ version }) => asksByExpression(version));
  const payloads = asking.length === 0 ? [] : (await client.query<{ id: string; input: string; metadata: string }>({ ...readPayloads, values: [asking.map(({ row }) => row.id)] })).rows;
  command.loaded = await Promise.all(
    known.map(async ({ row, version }): Promise<LoadedRun> => {
      const payload = payloads.find((each) => each.id === row.id);
      const demands = payload === undefined ? null : await evaluateDemands(sources.cel, version, { runId: row.id, input: payload.input, metadata: payload.metadata, labels: [], desiredWorkerId: null });
      const own = tasks.rows.filter((task) => task.run_id === row.id);
      return { runId: row.id, versionId: row.version_id, priority: row.priority, tasks: await Promise.all(own.map((task) => loadedTask(sources.cel, version, task))), demands };
    }),
  );
}

function asksByExpression({ definition }: Version): boolean {
  return definition.concurrency.length > 0 || definition.sticky !== null || definition.steps.some((step) => step.concurrency.length > 0 || step.rateLimits.length > 0);
}

async function loadedTask(cel: CelEvaluator, version: Version, sql: TaskSqlRow): Promise<LoadedTask> {
  const skipped = sql.output === skippedOutput;
  const expressions = (version.children[sql.step] ?? []).flatMap((child) =>
    (version.definition.steps[child]?.conditions ?? []).flatMap((condition) => (condition.kind === 'parent' && condition.parent === sql.step && condition.expression !== '' && compileCel(condition.expression).heavy ? [condition.expression] : [])),
  );
  const evaluated = new Map<string, Awaited<ReturnType<CelEvaluator['evaluate']>>>();
  if (!skipped && sql.output !== null) for (const expression of expressions) evaluated.set(expression, await cel.evaluate(expression, { output: JSON.parse(sql.output) }));
  return { id: sql.id, step: sql.step, generation: sql.generation ?? 1, attempt: sql.attempt ?? 0, status: statusOf(sql.status), skipped, output: sql.output, evaluated };
}

function statusOf(status: number | null): RunStatus | null {
  return status !== null && isRunStatus(status) ? status : null;
}
