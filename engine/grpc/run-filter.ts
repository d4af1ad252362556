import type { Pool } from 'pg';
import { HatchetError } from '../errors.ts';
import { parseUuid } from '../model/uuid.ts';
import { noPayloads, readRunDetail, type RunDetail } from '../monitor/run-detail.ts';
import type { RunListFilter } from '../monitor/run-list.ts';
import { uuidFloor } from '../model/uuid-floor.ts';
import type { ListRunsRequest } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { fromRunStatus } from './monitor-messages.ts';

export function emptyFilter(tenantId: string): RunListFilter {
  return { tenantId, statuses: [], workflowNames: [], workflowIds: [], sinceId: null, untilId: null, metadata: null, search: null, parentTaskIds: null, beforeId: null, limit: 1 };
}

/** What a list asks, but for its limit. @throws HatchetError INVALID_ARGUMENT, UNKNOWN_RUN for the parent */
export async function runFilter(pool: Pool, request: ListRunsRequest, tenantId: string): Promise<RunListFilter> {
  if (request.pageToken !== undefined && parseUuid(request.pageToken) === undefined) throw new HatchetError('INVALID_ARGUMENT', 'the page token is not one of this list', { remedy: 'Pass `next` of the page before.' });
  return {
    ...emptyFilter(tenantId),
    statuses: request.statuses.map(fromRunStatus),
    workflowNames: request.workflowNames,
    sinceId: request.since === undefined ? null : uuidFloor(request.since.getTime()),
    untilId: request.until === undefined ? null : uuidFloor(request.until.getTime()),
    metadata: Object.keys(request.metadata).length === 0 ? null : JSON.stringify(request.metadata),
    search: request.search === undefined || request.search === '' ? null : request.search,
    parentTaskIds: request.parentId === undefined ? null : await parentTasks(pool, tenantId, request.parentId),
    beforeId: request.pageToken ?? null,
  };
}

/** A task's own id, or those of all tasks of a run; a run of one task has that task's id. */
async function parentTasks(pool: Pool, tenantId: string, id: string): Promise<string[]> {
  const run = await knownRun(pool, tenantId, id);
  const tasks = run.tasks.map((task) => task.id);
  const one = parseUuid(id);
  return one !== undefined && tasks.includes(one) ? [one] : tasks;
}

/** By the run's id or a task's, without payloads. @throws HatchetError UNKNOWN_RUN, for another tenant's as for none */
export async function knownRun(pool: Pool, tenantId: string, id: string): Promise<RunDetail> {
  const uuid = parseUuid(id);
  const run = uuid === undefined ? undefined : await readRunDetail(pool, tenantId, uuid, noPayloads);
  if (run === undefined) throw unknownRun(id);
  return run;
}

export function unknownRun(id: string): HatchetError {
  return new HatchetError('UNKNOWN_RUN', `there is no run ${JSON.stringify(id)}`, { remedy: 'Check the id; `hatchet runs list` shows the newest runs.' });
}
