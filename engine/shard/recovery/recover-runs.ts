import { groupBy } from '../../model/group-by.ts';
import { RunStatus, type TerminalStatus } from '../../model/task/status.ts';
import type { LiveRun, ShardState } from '../../plan/state/shard-state.ts';
import type { ShardTables } from './shard-tables.ts';
import type { TaskRow } from '../../plan/state/table/rows.ts';

/** Runs a page. */
const pageRows = 1_000;

interface RunTaskSqlRow {
  run_id: string;
  id: string;
  step: number;
  status: number | null;
  skipped: boolean | null;
  bytes: number | null;
}

/** All tasks of runs with several steps, with how the ended ones ended in the run's generation. */
export const readRunTasks = `
  SELECT t.run_id, t.id, t.step, x.status, x.output = '{"skipped": true}' AS skipped, octet_length(x.output) AS bytes
  FROM unnest($1::uuid[], $2::integer[]) AS u (run_id, generation)
  JOIN task t ON t.run_id = u.run_id
  LEFT JOIN live l ON l.task_id = t.id
  LEFT JOIN LATERAL (
    SELECT x.status, x.output FROM result x WHERE x.task_id = t.id AND x.generation <= u.generation AND x.generation >= coalesce(l.generation, 1)
    ORDER BY x.generation DESC LIMIT 1
  ) x ON true
  ORDER BY t.run_id, t.step`;

/** A run of which unfinished tasks were found. */
export interface MultiTaskRun {
  generation: number;
  versionId: string;
  priority: number;
  rows: TaskRow[];
}

/** Runs of several steps: how each of their tasks has ended, or that it has not. */
export async function loadRuns(
  { client, shard, setAside, slice }: ShardTables,
  runs: ReadonlyMap<string, MultiTaskRun>,
): Promise<void> {
  const ids = [...runs.keys()];
  for (let from = 0; from < ids.length; from += pageRows) {
    const page = ids.slice(from, from + pageRows);
    const { rows } = await client.query<RunTaskSqlRow>(readRunTasks, [
      page,
      page.map((id) => runs.get(id)?.generation ?? 1),
    ]);
    const byRun = groupBy(rows, (row) => row.run_id);
    for (const runId of page) {
      const found = runs.get(runId);
      const tasks = byRun.get(runId) ?? [];
      const first = found?.rows[0];
      if (found === undefined || first === undefined) continue;
      setAside.tryTask({ taskId: shard.tasks.id(first), runId }, () => {
        const runRow = shard.addRun(liveRun(shard, { runId, found, tasks }));
        for (const row of found.rows) shard.tasks.run[row] = runRow;
      });
      if (slice.isOver) await slice.pause();
    }
  }
}

function liveRun(
  shard: ShardState,
  { runId, found, tasks }: { runId: string; found: MultiTaskRun; tasks: readonly RunTaskSqlRow[] },
): LiveRun {
  const version = shard.versions.get(found.versionId);
  if (version === undefined || tasks.length !== version.definition.steps.length)
    throw new Error(
      `run ${runId} has ${tasks.length} tasks, and its workflow ${version?.definition.steps.length} steps`,
    );
  const outcomes = tasks.map((task) => terminal(task.status));
  const unfinished = outcomes.filter((outcome) => outcome === 0).length;
  return {
    runId,
    version,
    generation: found.generation,
    priority: found.priority,
    taskIds: tasks.map((task) => task.id),
    outcomes,
    unfinished,
    rows: found.rows.length,
    ended: unfinished === 0,
    skipped: new Set(tasks.flatMap((task, index) => (task.skipped === true ? [index] : []))),
    outputBytes: new Map(
      tasks.flatMap(({ bytes }, index) => (bytes === null || !version.batchParents.has(index) ? [] : [[index, bytes]])),
    ),
  };
}

function terminal(status: number | null): TerminalStatus | 0 {
  return status === RunStatus.Completed || status === RunStatus.Failed || status === RunStatus.Cancelled ? status : 0;
}
