import type { Context } from 'hono';
import type { Pool } from 'pg';
import { invalid, quoted } from '../../edge/parse/invalid.ts';
import { searchedIds } from '../../edge/parse/selection.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { logLevels } from '../../monitor/lines/log-reads.ts';
import { stepsNamed, type LogFilter } from '../../monitor/lines/tenant-logs.ts';
import type { RestEnv } from '../deps.ts';
import { integerQuery, listQuery, textQuery } from '../request-values.ts';

type Request = Context<RestEnv>['req'];

/** Which lines of a tenant a query asks for, but for their time. @throws HatchetError INVALID_ARGUMENT */
export async function logFilter(pool: Pool, tenantId: TenantId, request: Request): Promise<LogFilter> {
  const stepIds = searchedIds(listQuery(request, 'step_ids'), 'step_ids');
  const filter = {
    tenantId,
    attempt: attemptQuery(request),
    levels: levelsQuery(request),
    search: textQuery(request, 'search'),
    taskIds: searchedIds(listQuery(request, 'taskExternalIds'), 'taskExternalIds'),
    workflowIds: searchedIds(listQuery(request, 'workflow_ids'), 'workflow_ids'),
  };
  return { ...filter, steps: stepIds.length === 0 ? null : await stepsNamed(pool, tenantId, stepIds) };
}

/** Of this attempt, counted from 0; null for all. @throws HatchetError INVALID_ARGUMENT */
export function attemptQuery(request: Request): number | null {
  const attempt = integerQuery(request, 'attempt', { fallback: 0, least: 0, most: 1_000_000 });
  return attempt === 0 ? null : attempt - 1;
}

/** As places in `logLevels`. @throws HatchetError INVALID_ARGUMENT */
export function levelsQuery(request: Request): number[] {
  return listQuery(request, 'levels').map(levelNumber);
}

export function isNewestFirst(request: Request): boolean {
  return request.query('order_by_direction')?.toUpperCase() === 'DESC';
}

function levelNumber(name: string): number {
  const level = logLevels.findIndex((known) => known === name.toUpperCase());
  if (level < 0) throw invalid(`${quoted(name)} is not a log level`, `Use ${logLevels.join(', ')}.`);
  return level;
}
