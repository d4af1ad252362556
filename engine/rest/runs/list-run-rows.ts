import type { Context } from 'hono';
import { metadataPairs, searchedIds, statuses } from '../../edge/parse/selection.ts';
import { maxPageBytes } from '../../model/limits.ts';
import { RunStatus } from '../../model/task/status.ts';
import { readWithin, type SizedRead } from '../../monitor/budget/answers-in-flight.ts';
import { readSnapshot, type Reader } from '../../monitor/read-snapshot.ts';
import type { PayloadWish, RunDetail } from '../../monitor/runs/run-detail.ts';
import { listRunSummaries } from '../../monitor/runs/run-list.ts';
import { listTaskRefs } from '../../monitor/runs/task-list.ts';
import { uuidFloor } from '../../model/ids/uuid-floor.ts';
import { pagination } from '../message-fields.ts';
import type { RestDeps, RestEnv } from '../deps.ts';
import { PayloadSpace } from './repeated-payload-room.ts';
import { booleanQuery, dateQuery, listQuery, pageQuery, uuidQuery } from '../request-values.ts';
import { again, mostDetailBytes, readDetails, sized } from './read-details.ts';
import { oneTaskMessage, runRow } from './run-messages.ts';
import { childCounts } from './read-run.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

type Request = Context<RestEnv>['req'];

/** @throws HatchetError INVALID_ARGUMENT */
function readFilter(request: Request, tenantId: TenantId) {
  const since = dateQuery(request, 'since');
  const until = dateQuery(request, 'until');
  const wanted = statuses(listQuery(request, 'statuses'));
  return {
    tenantId,
    // The contract has no status of its own for an evicted task: it runs.
    statuses: wanted.includes(RunStatus.Running) ? [...wanted, RunStatus.Evicted] : wanted,
    workflowIds: searchedIds(listQuery(request, 'workflow_ids'), 'workflow_ids'),
    sinceId: since === undefined ? null : uuidFloor(since.getTime()),
    untilId: until === undefined ? null : uuidFloor(until.getTime()),
    metadata: metadataPairs(listQuery(request, 'additional_metadata')),
    parentTaskId: uuidQuery(request, 'parent_task_external_id'),
    eventId: uuidQuery(request, 'triggering_event_external_id'),
    workerId: uuidQuery(request, 'worker_id'),
    ...pageQuery(request),
  };
}

type Filter = Omit<ReturnType<typeof readFilter>, 'limit'> & { limit: number };

async function runIds(reader: Reader, filter: Filter): Promise<string[]> {
  const { parentTaskId } = filter;
  const rows = await listRunSummaries(reader, {
    ...filter,
    parentTaskIds: parentTaskId === null ? null : [parentTaskId],
    workflowNames: [],
    search: null,
    beforeId: null,
  });
  return rows.map((row) => row.id);
}

export async function listRunIds(deps: RestDeps, tenantId: TenantId, request: Request): Promise<string[]> {
  return runIds(deps.pool, readFilter(request, tenantId));
}

/** Runs, newest first, or with `only_tasks` their tasks. Who is listed and what is shown of them are of one moment, so that each row has a status that was asked for. */
export function listRunRows(deps: RestDeps, tenantId: TenantId, request: Request) {
  const filter = readFilter(request, tenantId);
  const data = booleanQuery(request, 'include_payloads') ?? true;
  const onlyTasks = booleanQuery(request, 'only_tasks') === true;
  return readWithin<unknown>(mostDetailBytes, (bytes) =>
    onlyTasks ? taskRows(deps, filter, { bytes, data }) : runRows(deps, filter, { bytes, data }),
  );
}

async function runRows(deps: RestDeps, filter: Filter, payloads: PayloadWish): Promise<SizedRead<unknown>> {
  const { ids, details } = await readSnapshot(deps.pool, async (snapshot) => {
    const found = await runIds(snapshot, oneMore(filter));
    return {
      ids: found,
      details: await readDetails(snapshot, filter.tenantId, found.slice(0, filter.limit), payloads),
    };
  });
  if ('wanted' in details) return again(details.wanted);
  const { runs } = details;
  const children = await childCounts(deps, filter.tenantId, runs);
  const repeats = new PayloadSpace(maxPageBytes);
  return sized(
    {
      pagination: pagination({ ...filter, more: ids.length > filter.limit }),
      rows: runs.map((run) => runRow(run, { children, repeats })),
    },
    details,
  );
}

async function taskRows(deps: RestDeps, filter: Filter, payloads: PayloadWish): Promise<SizedRead<unknown>> {
  const { refs, shown, details } = await readSnapshot(deps.pool, async (snapshot) => {
    const found = await listTaskRefs(snapshot, oneMore(filter));
    const first = found.slice(0, filter.limit);
    return {
      refs: found,
      shown: first,
      details: await readDetails(snapshot, filter.tenantId, [...new Set(first.map((ref) => ref.runId))], payloads),
    };
  });
  if ('wanted' in details) return again(details.wanted);
  const { runs } = details;
  const children = await childCounts(deps, filter.tenantId, runs);
  const byId = new Map(runs.flatMap((run) => run.tasks.map((task) => [task.id, { run, task }])));
  const repeats = new PayloadSpace(maxPageBytes);
  const begun = new Set<RunDetail>();
  const rows = shown.flatMap(({ taskId }) => {
    const found = byId.get(taskId);
    if (found === undefined) return [];
    const isFirst = !begun.has(found.run);
    begun.add(found.run);
    return [
      oneTaskMessage(found.run, found.task, {
        children: children.get(taskId) ?? 0,
        repeats: isFirst ? undefined : repeats,
      }),
    ];
  });
  return sized({ pagination: pagination({ ...filter, more: refs.length > filter.limit }), rows }, details);
}

/** Tells whether there is a next page. */
function oneMore(filter: Filter): Filter {
  return { ...filter, limit: filter.limit + 1 };
}
