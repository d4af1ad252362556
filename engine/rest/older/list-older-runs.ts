import type { Context } from 'hono';
import type { OlderRuns } from '../../../proto/gen/rest/answers.ts';
import { HatchetError } from '../../base/errors.ts';
import { invalid, quoted } from '../../edge/parse/invalid.ts';
import { metadataPairs } from '../../edge/parse/selection.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { uuidFloor } from '../../model/ids/uuid-floor.ts';
import { readWithin, type Held, type SizedRead } from '../../monitor/budget/answers-in-flight.ts';
import { readSnapshot } from '../../monitor/read-snapshot.ts';
import { listRunSummaries } from '../../monitor/runs/run-list.ts';
import type { RestDeps, RestEnv } from '../deps.ts';
import { pagination } from '../message-fields.ts';
import { dateQuery, listQuery, pageQuery, uuidQuery } from '../request-values.ts';
import { again, mostDetailBytes, readDetails, sized } from '../runs/read-details.ts';
import { knownRun } from '../runs/read-run.ts';
import { olderRun } from './older-run.ts';
import { statusesNamed } from './older-status.ts';

type Request = Context<RestEnv>['req'];

/** Runs are listed by when they were made, the newest first, and are told apart by nothing that these ask for. */
const unserved = ['kinds', 'finishedAfter', 'finishedBefore'];

/** @throws HatchetError INVALID_ARGUMENT for what would give other runs, or another order, than it asks for */
function refuseUnserved(request: Request): void {
  const name = unserved.find((each) => (request.query(each) ?? '') !== '');
  if (name !== undefined) throw invalid(`runs cannot be listed by ${name}`, `Leave ${name} out.`);
  const field = request.query('orderByField') ?? '';
  if (field !== '' && field !== 'createdAt')
    throw invalid(`orderByField is ${quoted(field)}`, 'Use createdAt, or leave it out.');
  const direction = request.query('orderByDirection') ?? '';
  if (direction !== '' && direction.toUpperCase() !== 'DESC')
    throw invalid(`orderByDirection is ${quoted(direction)}`, 'Use DESC, or leave it out.');
}

/** A page of runs in the contract's older form, newest first, without inputs and outputs. */
export async function listOlderRuns(
  deps: RestDeps,
  tenantId: TenantId,
  request: Request,
): Promise<Held<OlderRuns | undefined>> {
  refuseUnserved(request);
  const names = listQuery(request, 'statuses');
  const statuses = statusesNamed(names);
  const since = dateQuery(request, 'createdAfter');
  const until = dateQuery(request, 'createdBefore');
  const workflowId = uuidQuery(request, 'workflowId');
  const { offset, limit } = pageQuery(request);
  const parentTaskIds = await parents(deps, tenantId, request);
  const filter = {
    tenantId,
    statuses,
    workflowNames: [],
    workflowIds: workflowId === null ? [] : [workflowId],
    sinceId: since === undefined ? null : uuidFloor(since.getTime()),
    untilId: until === undefined ? null : uuidFloor(until.getTime()),
    metadata: metadataPairs(listQuery(request, 'additionalMetadata')),
    search: null,
    parentTaskIds,
    eventId: uuidQuery(request, 'eventId'),
    beforeId: null,
    limit: limit + 1,
    offset,
  };
  return readWithin(mostDetailBytes, async (bytes): Promise<SizedRead<OlderRuns | undefined>> => {
    const { ids, details } = await readSnapshot(deps.pool, async (snapshot) => {
      // Statuses of which no run has any give none; an empty list would give all.
      const found = names.length > 0 && statuses.length === 0 ? [] : await listRunSummaries(snapshot, filter);
      const runIds = found.map(({ id }) => id);
      return {
        ids: runIds,
        details: await readDetails(snapshot, tenantId, runIds.slice(0, limit), { bytes, data: false }),
      };
    });
    if ('wanted' in details) return again(details.wanted);
    return sized(
      {
        pagination: pagination({ offset, limit, more: ids.length > limit }),
        rows: details.runs.map((run) => olderRun(run, { data: false })),
      },
      details,
    );
  });
}

/** The tasks whose children are asked for; null for all runs. Those of a run are its tasks'. */
async function parents(deps: RestDeps, tenantId: TenantId, request: Request): Promise<string[] | null> {
  const taskId = uuidQuery(request, 'parentStepRunId');
  const runId = uuidQuery(request, 'parentWorkflowRunId');
  if (runId === null) return taskId === null ? null : [taskId];
  try {
    const ids = (await knownRun(deps, tenantId, runId)).tasks.map(({ id }) => id);
    return taskId === null ? ids : ids.filter((id) => id === taskId);
  } catch (error) {
    if (error instanceof HatchetError && error.code === 'UNKNOWN_RUN') return [];
    throw error;
  }
}
