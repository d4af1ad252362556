import type { Pool } from 'pg';
import type { RunDetail } from '../monitor/run-detail.ts';
import { listRunSummaries, type RunSummary } from '../monitor/run-list.ts';
import { emptyFilter, knownRun, unknownRun } from './run-filter.ts';

/**
 * A run as lists have it, and its tasks. The two are read one after the other: where the run has ended between them, or begun
 * again, its tasks are read once more, so that no run is COMPLETED whose tasks have no output yet.
 * @param id the run's or a task's
 * @throws HatchetError UNKNOWN_RUN
 */
export async function runWithTasks(pool: Pool, tenantId: string, id: string): Promise<{ summary: RunSummary; detail: RunDetail }> {
  const detail = await knownRun(pool, tenantId, id);
  const [summary] = await listRunSummaries(pool, { ...emptyFilter(tenantId), sinceId: detail.id, search: detail.id, limit: 1 });
  if (summary === undefined) throw unknownRun(id);
  const isAsNew = summary.status === detail.status && summary.finishedUs === detail.finishedUs;
  return { summary, detail: isAsNew ? detail : await knownRun(pool, tenantId, id) };
}
