import type { Pool } from 'pg';
import { id } from '../../edge/parse/id.ts';
import { quoted } from '../../edge/parse/invalid.ts';
import { atMost } from '../../edge/parse/list.ts';
import { metadataTerms, search, texts } from '../../edge/parse/selection.ts';
import { bound } from '../../edge/parse/time.ts';
import { HatchetError } from '../../base/errors.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { noPayloads, readRunDetail, type RunDetail } from '../../monitor/runs/run-detail.ts';
import type { RunListFilter } from '../../monitor/runs/run-list.ts';
import { uuidFloor } from '../../model/ids/uuid-floor.ts';
import type { ListRunsRequest } from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { fromRunStatus } from '../monitor-messages.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export function emptyFilter(tenantId: TenantId): RunListFilter {
  return {
    tenantId,
    statuses: [],
    workflowNames: [],
    workflowIds: [],
    sinceId: null,
    untilId: null,
    metadata: null,
    search: null,
    parentTaskIds: null,
    beforeId: null,
    limit: 1,
  };
}

/** What a list asks, but for its limit. @throws HatchetError INVALID_ARGUMENT, UNKNOWN_RUN for the parent */
export async function runFilter(pool: Pool, request: ListRunsRequest, tenantId: TenantId): Promise<RunListFilter> {
  const since = request.since === undefined ? null : uuidFloor(bound(request.since, 'since'));
  const until = request.until === undefined ? null : uuidFloor(bound(request.until, 'until'));
  return {
    ...emptyFilter(tenantId),
    statuses: atMost(request.statuses, 'the statuses', 100).map(fromRunStatus),
    workflowNames: texts(request.workflowNames, 'the names of the workflows'),
    sinceId: since,
    untilId: until,
    metadata: metadataTerms(request.metadata),
    search: search(request.search),
    parentTaskIds: request.parentId === undefined ? null : await parentTasks(pool, tenantId, request.parentId),
    beforeId: request.pageToken === undefined ? null : id(request.pageToken, 'the page token'),
  };
}

/** A task's own id, or those of all tasks of a run; a run of one task has that task's id. */
async function parentTasks(pool: Pool, tenantId: TenantId, given: string): Promise<string[]> {
  const run = await knownRun(pool, tenantId, given);
  const tasks = run.tasks.map((task) => task.id);
  const one = parseUuid(given);
  return one !== undefined && tasks.includes(one) ? [one] : tasks;
}

/** By the run's id or a task's, without payloads. @throws HatchetError UNKNOWN_RUN, for another tenant's as for none */
export async function knownRun(pool: Pool, tenantId: TenantId, given: string): Promise<RunDetail> {
  const uuid = parseUuid(given);
  const run = uuid === undefined ? undefined : await readRunDetail(pool, tenantId, uuid, noPayloads);
  if (run === undefined) throw unknownRun(given);
  return run;
}

export function unknownRun(given: string): HatchetError {
  return new HatchetError('UNKNOWN_RUN', `there is no run ${quoted(given)}`, {
    remedy: 'Check the id; `hatchet runs list` shows the newest runs.',
  });
}
