import type { Pool } from 'pg';
import { isLiveState, liveRunStatus, liveStateNames } from '../model/live-state.ts';
import type { WorkflowDefinition } from '../model/definition.ts';
import { groupBy } from '../model/group-by.ts';
import { RunStatus } from '../model/status.ts';
import { readSnapshot, type Reader } from './read-snapshot.ts';

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
  queuedUs: number | null;
  startedUs: number | null;
  finishedUs: number | null;
  /** Of LiveState; empty once ended. */
  liveState: string;
}

export interface RunDetail {
  id: string;
  tenantId: string;
  workflowId: string;
  versionId: string;
  workflowName: string;
  status: RunStatus;
  priority: number;
  input: string;
  metadata: string;
  parentTaskId: string | null;
  finishedUs: number | null;
  tasks: TaskDetail[];
}

interface RunSqlRow {
  id: string;
  tenant_id: string;
  workflow_id: string;
  version_id: string;
  workflow_name: string;
  priority: number;
  input: string;
  metadata: string;
  parent_task_id: string | null;
  definition: WorkflowDefinition;
  end_status: RunStatus | null;
  end_us: string | null;
}

/** By the run's id, or by that of one of its tasks. */
const readRuns = {
  name: 'read_runs',
  text: `
    SELECT r.id, r.tenant_id, r.workflow_id, r.version_id, w.name AS workflow_name, r.priority, r.input, r.metadata::text AS metadata,
      r.parent_task_id, v.definition, e.status AS end_status, e.seq AS end_us
    FROM (SELECT DISTINCT coalesce(t.run_id, u.id) AS id FROM unnest($2::uuid[]) AS u (id) LEFT JOIN task t ON t.id = u.id) u
    JOIN run r ON r.id = u.id AND r.tenant_id = $1
    JOIN workflow w ON w.id = r.workflow_id
    JOIN workflow_version v ON v.id = r.version_id
    LEFT JOIN LATERAL (SELECT nullif(status, 0) AS status, CASE WHEN status <> 0 THEN seq END AS seq, generation FROM run_end e WHERE e.run_id = r.id ORDER BY e.generation DESC, e.status DESC LIMIT 1) e ON true`,
};

interface TaskSqlRow {
  run_id: string;
  id: string;
  step: number;
  state: number | null;
  flags: number | null;
  live_attempt: number | null;
  worker_id: string | null;
  worker_name: string | null;
  status: RunStatus | null;
  attempt: number | null;
  output: string | null;
  error: string | null;
  ended_us: string | null;
  queued_us: string | null;
  started_us: string | null;
}

/** Each task as its newest generation has it: times count from that one's opening. */
const readTasks = {
  name: 'read_tasks',
  text: `
    SELECT t.run_id, t.id, t.step, l.state, l.flags, l.attempt AS live_attempt, coalesce(l.worker_id, h.worker_id) AS worker_id, w.name AS worker_name,
      x.status, x.attempt, x.output, x.error, x.seq AS ended_us, h.queued_us, h.started_us
    FROM unnest($1::uuid[]) AS u (id)
    JOIN task t ON t.run_id = u.id
    LEFT JOIN live l ON l.task_id = t.id
    LEFT JOIN LATERAL (
      SELECT x.* FROM result x WHERE x.task_id = t.id AND x.generation >= coalesce(l.generation, 1) ORDER BY x.generation DESC LIMIT 1
    ) x ON true
    LEFT JOIN LATERAL (
      SELECT min(h.seq) FILTER (WHERE h.kinds LIKE '%Q%') AS queued_us, max(h.seq) FILTER (WHERE h.kinds LIKE '%S%') AS started_us,
        (array_agg(h.worker_id ORDER BY h.seq DESC) FILTER (WHERE h.worker_id IS NOT NULL))[1] AS worker_id
      FROM history h
      WHERE h.task_id = t.id AND h.seq >= coalesce((
        SELECT o.seq FROM run_end o WHERE o.run_id = t.run_id AND o.status = 0 AND o.generation = coalesce(l.generation, x.generation)
      ), 0)
    ) h ON true
    LEFT JOIN worker w ON w.id = coalesce(l.worker_id, h.worker_id)
    ORDER BY t.run_id, t.step`,
};

function us(text: string | null): number | null {
  return text === null ? null : Number(text);
}

function taskDetail(row: TaskSqlRow, definition: WorkflowDefinition): TaskDetail {
  const step = definition.steps[row.step];
  const live = row.state !== null && isLiveState(row.state) && row.status === null ? row.state : undefined;
  return {
    id: row.id,
    name: step?.name ?? '',
    action: step?.action ?? '',
    status: row.status ?? (live === undefined ? RunStatus.Queued : liveRunStatus(live)),
    parents: (step?.parents ?? []).map((parent) => definition.steps[parent]?.name ?? ''),
    attempt: row.live_attempt ?? row.attempt ?? 0,
    retries: step?.retries ?? 0,
    durable: step?.durable ?? false,
    workerId: row.worker_id,
    workerName: row.worker_name,
    output: row.output,
    error: row.error,
    queuedUs: us(row.queued_us),
    startedUs: us(row.started_us),
    finishedUs: us(row.ended_us),
    liveState: live === undefined ? '' : liveStateNames[live],
  };
}

/** Of a run without an end; as lists have it. */
function openStatus(tasks: readonly TaskDetail[]): RunStatus {
  const [only] = tasks;
  if (tasks.length === 1 && only?.status === RunStatus.Evicted) return RunStatus.Evicted;
  return tasks.some((task) => task.status !== RunStatus.Queued) ? RunStatus.Running : RunStatus.Queued;
}

/**
 * Those of the ids, of runs or of their tasks, that are the tenant's; in no order.
 * @param snapshot a run's status and its tasks' are read one after the other
 */
export async function runDetailsIn(snapshot: Reader, tenantId: string, ids: readonly string[]): Promise<RunDetail[]> {
  const runs = await snapshot.query<RunSqlRow>({ ...readRuns, values: [tenantId, ids] });
  const tasks = await snapshot.query<TaskSqlRow>({ ...readTasks, values: [runs.rows.map((run) => run.id)] });
  const byRun = groupBy(tasks.rows, (row) => row.run_id);
  return runs.rows.map((run) => {
    const details = (byRun.get(run.id) ?? []).map((row) => taskDetail(row, run.definition));
    return {
      id: run.id,
      tenantId: run.tenant_id,
      workflowId: run.workflow_id,
      versionId: run.version_id,
      workflowName: run.workflow_name,
      status: run.end_status ?? openStatus(details),
      priority: run.priority,
      input: run.input,
      metadata: run.metadata,
      parentTaskId: run.parent_task_id,
      finishedUs: us(run.end_us),
      tasks: details,
    };
  });
}

/** `runDetailsIn` a snapshot of its own. */
export async function readRunDetails(pool: Pool, tenantId: string, ids: readonly string[]): Promise<RunDetail[]> {
  return await readSnapshot(pool, (snapshot) => runDetailsIn(snapshot, tenantId, ids));
}

/** `undefined` for an unknown id and for another tenant's alike. */
export async function readRunDetail(pool: Pool, tenantId: string, id: string): Promise<RunDetail | undefined> {
  return (await readRunDetails(pool, tenantId, [id]))[0];
}
