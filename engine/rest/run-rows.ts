import type { Context } from 'hono';
import { searchedIds } from '../edge/parse/selection.ts';
import { RunStatus } from '../model/status.ts';
import { readSnapshot, type Reader } from '../monitor/read-snapshot.ts';
import { runDetailsIn, type RunDetail } from '../monitor/run-detail.ts';
import { listRunSummaries } from '../monitor/run-list.ts';
import { metadataFilter, statusesByName } from '../monitor/run-selection.ts';
import { listTaskRefs } from '../monitor/task-list.ts';
import { uuidFloor } from '../model/uuid-floor.ts';
import { pagination } from './contract.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { booleanQuery, dateQuery, listQuery, pageQuery, uuidQuery } from './request-values.ts';
import { runRow, taskMessage } from './run-messages.ts';
import { childCounts } from './run-reads.ts';

type Request = Context<RestEnv>['req'];

/** @throws HatchetError INVALID_ARGUMENT */
function readFilter(request: Request, tenantId: string) {
  const since = dateQuery(request, 'since');
  const until = dateQuery(request, 'until');
  const statuses = statusesByName(listQuery(request, 'statuses'));
  return {
    tenantId,
    // The contract has no status of its own for an evicted task: it runs.
    statuses: statuses.includes(RunStatus.Running) ? [...statuses, RunStatus.Evicted] : statuses,
    workflowIds: searchedIds(listQuery(request, 'workflow_ids'), 'workflow_ids'),
    sinceId: since === undefined ? null : uuidFloor(since.getTime()),
    untilId: until === undefined ? null : uuidFloor(until.getTime()),
    metadata: metadataFilter(listQuery(request, 'additional_metadata')),
    parentTaskId: uuidQuery(request, 'parent_task_external_id'),
    eventId: uuidQuery(request, 'triggering_event_external_id'),
    workerId: uuidQuery(request, 'worker_id'),
    ...pageQuery(request),
  };
}

type Filter = Omit<ReturnType<typeof readFilter>, 'limit'> & { limit: number };

async function runIds(reader: Reader, filter: Filter): Promise<string[]> {
  const { parentTaskId } = filter;
  const rows = await listRunSummaries(reader, { ...filter, parentTaskIds: parentTaskId === null ? null : [parentTaskId], workflowNames: [], search: null, beforeId: null });
  return rows.map((row) => row.id);
}

function inOrder(ids: readonly string[], runs: readonly RunDetail[]): RunDetail[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

export async function listRunIds(deps: RestDeps, tenantId: string, request: Request): Promise<string[]> {
  return runIds(deps.pool, readFilter(request, tenantId));
}

/** Runs, newest first, or with `only_tasks` their tasks. Who is listed and what is shown of them are of one moment, so that each row has a status that was asked for. */
export async function listRunRows(deps: RestDeps, tenantId: string, request: Request) {
  const filter = readFilter(request, tenantId);
  const payloads = booleanQuery(request, 'include_payloads') ?? true;
  // One more than asked for tells whether there is a next page.
  const wider = { ...filter, limit: filter.limit + 1 };
  if (booleanQuery(request, 'only_tasks') === true) {
    const { refs, shown, runs } = await readSnapshot(deps.pool, async (snapshot) => {
      const found = await listTaskRefs(snapshot, wider);
      const first = found.slice(0, filter.limit);
      return { refs: found, shown: first, runs: await runDetailsIn(snapshot, tenantId, [...new Set(first.map((ref) => ref.runId))]) };
    });
    const children = await childCounts(deps, tenantId, runs);
    const rows = shown.flatMap((ref) => {
      const run = runs.find((candidate) => candidate.id === ref.runId);
      const task = run?.tasks.find((candidate) => candidate.id === ref.taskId);
      return run === undefined || task === undefined ? [] : [taskMessage(run, task, { payloads, children: children.get(task.id) ?? 0 })];
    });
    return { pagination: pagination({ ...filter, more: refs.length > filter.limit }), rows };
  }
  const { ids, runs } = await readSnapshot(deps.pool, async (snapshot) => {
    const found = await runIds(snapshot, wider);
    const shown = found.slice(0, filter.limit);
    return { ids: found, runs: inOrder(shown, await runDetailsIn(snapshot, tenantId, shown)) };
  });
  const children = await childCounts(deps, tenantId, runs);
  return { pagination: pagination({ ...filter, more: ids.length > filter.limit }), rows: runs.map((run) => runRow(run, { payloads, children })) };
}
