import type { Pool } from 'pg';
import { isLiveState, liveTaskStatus, liveStateNames } from '../../model/task/live-state.ts';
import type { StepDefinition } from '../../model/definition.ts';
import { groupBy } from '../../model/group-by.ts';
import { RunStatus } from '../../model/task/status.ts';
import { openStatus, taskIsToCome } from './open-status.ts';
import { readSnapshot, type Reader } from '../read-snapshot.ts';
import { leftOut, withinBytes } from '../budget/within-bytes.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { journalOf, liveOf, newestEndOf, tasksOf } from '../../postgres/rows-of-a-run.ts';

export interface TaskDetail {
  id: string;
  name: string;
  action: string;
  status: RunStatus;
  parents: string[];
  attempt: number;
  retries: number;
  durable: boolean;
  workerId: string | null;
  workerName: string | null;
  output: string | null;
  /** The raw failed payload. */
  error: string | null;
  /** Bytes of the output, or of the error, that were beyond the budget; it is null then. */
  outputLeftOut: number;
  errorLeftOut: number;
  queuedUs: number | null;
  startedUs: number | null;
  finishedUs: number | null;
  /** Of LiveState; empty once ended. */
  liveState: string;
  /**
   * It waits for its parents or its conditions, and never did more. Hatchet makes a task of a run of several only once it may be
   * queued, is skipped or is cancelled, so Hatchet's own calls do not tell of it; the monitoring service does.
   */
  isToCome: boolean;
}

export interface RunDetail {
  id: string;
  tenantId: TenantId;
  workflowId: string;
  versionId: string;
  workflowName: string;
  status: RunStatus;
  priority: number;
  /** JSON. */
  input: string;
  metadata: string;
  /** Bytes of these two that were beyond the budget; they are empty objects then. */
  inputLeftOut: number;
  metadataLeftOut: number;
  parentTaskId: string | null;
  finishedUs: number | null;
  tasks: TaskDetail[];
}

interface RunSqlRow {
  id: string;
  tenant_id: TenantId;
  workflow_id: string;
  version_id: string;
  workflow_name: string;
  priority: number;
  input: string | null;
  input_bytes: number;
  metadata: string | null;
  metadata_bytes: number;
  parent_task_id: string | null;
  end_status: RunStatus | null;
  end_us: string | null;
}

/** By the run's id, or by that of one of its tasks; in the order in which they are given. */
const readRuns = {
  name: 'read_runs',
  text: `
    SELECT s.id, s.tenant_id, s.workflow_id, s.version_id, s.workflow_name, s.priority, s.parent_task_id, s.end_status, s.end_us, s.input_bytes, s.metadata_bytes,
      CASE WHEN s.metadata_fits THEN s.metadata::text END AS metadata, CASE WHEN s.input_fits THEN s.input END AS input
    FROM (
      SELECT s.*, ${withinBytes('s.metadata_bytes', { order: 's.place', budget: '$3' })} AS metadata_fits,
        ${withinBytes('s.input_bytes', { order: 's.place', budget: '$3', before: 'sum(s.metadata_bytes) OVER ()' })} AS input_fits
      FROM (
        SELECT u.place, r.id, r.tenant_id, r.workflow_id, r.version_id, w.name AS workflow_name, r.priority, r.parent_task_id, e.status AS end_status, e.seq AS end_us,
          CASE WHEN $4 THEN r.input END AS input, CASE WHEN $4 THEN octet_length(r.input) ELSE 0 END AS input_bytes,
          r.metadata, CASE WHEN $3::bigint IS NULL THEN 0 ELSE octet_length(r.metadata::text) END AS metadata_bytes
        FROM (
          SELECT coalesce(t.run_id, u.id) AS id, min(u.place) AS place FROM unnest($2::uuid[]) WITH ORDINALITY AS u (id, place) LEFT JOIN task t ON t.id = u.id GROUP BY 1
        ) u
        JOIN run r ON r.id = u.id AND r.tenant_id = $1
        JOIN workflow w ON w.id = r.workflow_id
        LEFT JOIN LATERAL (SELECT nullif(n.status, 0) AS status, CASE WHEN n.status <> 0 THEN n.seq END AS seq FROM ${newestEndOf('r.id')} n) e ON true
      ) s
    ) s
    ORDER BY s.place`,
};

type ShownStep = Pick<StepDefinition, 'name' | 'action' | 'parents' | 'retries' | 'durable'>;

interface StepsSqlRow {
  id: string;
  steps: ShownStep[];
}

/** Of each version once, and nothing that is not shown of runs: a definition may be larger than all its runs. */
const readSteps = {
  name: 'read_version_steps',
  text: `
    SELECT v.id, (
      SELECT jsonb_agg(jsonb_build_object('name', s.step -> 'name', 'action', s.step -> 'action', 'parents', s.step -> 'parents', 'retries', s.step -> 'retries', 'durable', s.step -> 'durable') ORDER BY s.place)
      FROM jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s (step, place)
    ) AS steps
    FROM workflow_version v WHERE v.id = ANY ($1::uuid[])`,
};

interface TaskSqlRow {
  run_id: string;
  id: string;
  step: number;
  state: number | null;
  flags: number | null;
  live_attempt: number | null;
  to_come: boolean;
  worker_id: string | null;
  worker_name: string | null;
  status: RunStatus | null;
  attempt: number | null;
  output: string | null;
  output_bytes: number | null;
  error: string | null;
  error_bytes: number | null;
  ended_us: string | null;
  queued_us: string | null;
  started_us: string | null;
}

/** Each task as its newest generation has it: times count from that one's opening. */
const readTasks = {
  name: 'read_tasks',
  text: `
    SELECT s.run_id, s.id, s.step, s.state, s.flags, s.live_attempt, s.to_come, s.worker_id, s.worker_name, s.status, s.attempt, s.ended_us, s.queued_us, s.started_us,
      s.output_bytes, s.error_bytes, CASE WHEN s.fits THEN s.output END AS output, CASE WHEN s.fits THEN s.error END AS error
    FROM (
      SELECT s.*, ${withinBytes('s.bytes', { order: 's.place, s.step', budget: '$2' })} AS fits
      FROM (
        SELECT u.place, t.run_id, t.id, t.step, l.state, l.flags, l.attempt AS live_attempt, ${taskIsToCome} AS to_come, coalesce(l.worker_id, h.worker_id) AS worker_id, w.name AS worker_name,
          x.status, x.attempt, x.seq AS ended_us, h.queued_us, h.started_us, c.output, c.error,
          octet_length(c.output) AS output_bytes, octet_length(c.error) AS error_bytes, coalesce(octet_length(c.output), 0) + coalesce(octet_length(c.error), 0) AS bytes
        FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, place)
        JOIN run r ON r.id = u.id
        JOIN LATERAL ${tasksOf('r')} t ON true
        LEFT JOIN LATERAL ${liveOf('t.id')} l ON true
        LEFT JOIN LATERAL (
          SELECT x.* FROM result x WHERE x.task_id = t.id AND x.generation >= coalesce(l.generation, 1) ORDER BY x.generation DESC LIMIT 1
        ) x ON true
        LEFT JOIN LATERAL (
          SELECT min(h.seq) FILTER (WHERE h.kinds LIKE '%Q%') AS queued_us, max(h.seq) FILTER (WHERE h.kinds LIKE '%S%') AS started_us,
            (array_agg(h.worker_id ORDER BY h.seq DESC) FILTER (WHERE h.worker_id IS NOT NULL))[1] AS worker_id
          FROM ${journalOf('t.id')} h
          WHERE h.seq >= coalesce((
            SELECT o.seq FROM run_end o WHERE o.run_id = t.run_id AND o.status = 0 AND o.generation = coalesce(l.generation, x.generation)
          ), 0)
        ) h ON true
        LEFT JOIN worker w ON w.id = coalesce(l.worker_id, h.worker_id)
        LEFT JOIN LATERAL (SELECT CASE WHEN $3 THEN x.output END AS output, x.error) c ON $2::bigint IS NOT NULL AND ($4::uuid IS NULL OR t.id = $4)
      ) s
    ) s
    ORDER BY s.place, s.step`,
};

function us(text: string | null): number | null {
  return text === null ? null : Number(text);
}

function taskDetail(row: TaskSqlRow, steps: readonly ShownStep[]): TaskDetail {
  const step = steps[row.step];
  const live = row.state !== null && isLiveState(row.state) && row.status === null ? row.state : undefined;
  return {
    id: row.id,
    name: step?.name ?? '',
    action: step?.action ?? '',
    status: row.status ?? (live === undefined ? RunStatus.Queued : liveTaskStatus(live)),
    parents: (step?.parents ?? []).map((parent) => steps[parent]?.name ?? ''),
    attempt: row.live_attempt ?? row.attempt ?? 0,
    retries: step?.retries ?? 0,
    durable: step?.durable ?? false,
    workerId: row.worker_id,
    workerName: row.worker_name,
    output: row.output,
    error: row.error,
    outputLeftOut: leftOut(row.output_bytes, row.output),
    errorLeftOut: leftOut(row.error_bytes, row.error),
    queuedUs: us(row.queued_us),
    startedUs: us(row.started_us),
    finishedUs: us(row.ended_us),
    liveState: live === undefined ? '' : liveStateNames[live],
    isToCome: row.to_come,
  };
}

/** Which payloads of runs are read. */
export interface PayloadWish {
  /** That all of them may have together: what is beyond is left out. */
  bytes: number;
  /** Inputs and outputs too; otherwise metadata and errors alone. */
  data: boolean;
  /** The one task whose output or error is meant; default all. */
  taskId?: string;
}

export const noPayloads: PayloadWish = { bytes: 0, data: false };

/**
 * Those of the ids, of runs or of their tasks, that are the tenant's, each run once, in the order of the ids.
 * @param snapshot a run's status and its tasks' are read one after the other
 */
export async function runDetailsIn(
  snapshot: Reader,
  tenantId: TenantId,
  ids: readonly string[],
  { bytes, data, taskId }: PayloadWish,
): Promise<RunDetail[]> {
  const { rows: runs } = await snapshot.query<RunSqlRow>({
    ...readRuns,
    values: [tenantId, ids, bytes === 0 ? null : bytes, data],
  });
  const versions = await snapshot.query<StepsSqlRow>({
    ...readSteps,
    values: [[...new Set(runs.map((run) => run.version_id))]],
  });
  const left =
    bytes -
    runs.reduce(
      (sum, run) => sum + (run.input === null ? 0 : run.input_bytes) + (run.metadata === null ? 0 : run.metadata_bytes),
      0,
    );
  const tasks = await snapshot.query<TaskSqlRow>({
    ...readTasks,
    values: [runs.map((run) => run.id), bytes === 0 ? null : left, data, taskId ?? null],
  });
  const byRun = groupBy(tasks.rows, (row) => row.run_id);
  const steps = new Map(versions.rows.map((version) => [version.id, version.steps]));
  return runs.map((run) => {
    const details = (byRun.get(run.id) ?? []).map((row) => taskDetail(row, steps.get(run.version_id) ?? []));
    return {
      id: run.id,
      tenantId: run.tenant_id,
      workflowId: run.workflow_id,
      versionId: run.version_id,
      workflowName: run.workflow_name,
      status: run.end_status ?? openStatus(details.map(({ status }) => status)),
      priority: run.priority,
      input: run.input ?? '{}',
      metadata: run.metadata ?? '{}',
      inputLeftOut: leftOut(run.input_bytes, run.input),
      metadataLeftOut: leftOut(run.metadata_bytes, run.metadata),
      parentTaskId: run.parent_task_id,
      finishedUs: us(run.end_us),
      tasks: details,
    };
  });
}

const countTasks = {
  name: 'count_tasks',
  text: `SELECT count(*)::integer AS tasks FROM (SELECT FROM run r CROSS JOIN LATERAL ${tasksOf('r')} t WHERE r.id = ANY ($1::uuid[]) LIMIT $2) t`,
};

/** How many tasks the runs have together; it counts no further than `most`. */
export async function countTasksIn(snapshot: Reader, runIds: readonly string[], most: number): Promise<number> {
  return (await snapshot.query<{ tasks: number }>({ ...countTasks, values: [runIds, most] })).rows[0]?.tasks ?? 0;
}

/** Bytes of what was read of some runs, and of what was left out. */
export function payloadSize(runs: readonly RunDetail[]): { brought: number; leftOut: number } {
  let brought = 0;
  let out = 0;
  for (const run of runs) {
    brought += run.input.length + run.metadata.length;
    out += run.inputLeftOut + run.metadataLeftOut;
    for (const task of run.tasks) {
      brought += (task.output?.length ?? 0) + (task.error?.length ?? 0);
      out += task.outputLeftOut + task.errorLeftOut;
    }
  }
  return { brought, leftOut: out };
}

/** `undefined` for an unknown id and for another tenant's alike. */
export async function readRunDetail(
  pool: Pool,
  tenantId: TenantId,
  id: string,
  payloads: PayloadWish,
): Promise<RunDetail | undefined> {
  return (await readSnapshot(pool, (snapshot) => runDetailsIn(snapshot, tenantId, [id], payloads)))[0];
}
