import type { Pool } from 'pg';
import { parseUuid } from '../model/uuid.ts';
import { readSnapshot } from '../monitor/read-snapshot.ts';
import { runDetailsIn, type RunDetail } from '../monitor/run-detail.ts';
import { listRunSummaries, type RunSummary } from '../monitor/run-list.ts';
import { emptyFilter, unknownRun } from './run-filter.ts';

/**
 * A run as lists have it, and its tasks, of one moment.
 * @param id the run's or a task's
 * @throws HatchetError UNKNOWN_RUN
 */
export async function runWithTasks(pool: Pool, tenantId: string, id: string): Promise<{ summary: RunSummary; detail: RunDetail }> {
  const uuid = parseUuid(id);
  if (uuid === undefined) throw unknownRun(id);
  return await readSnapshot(pool, async (snapshot) => {
    const [detail] = await runDetailsIn(snapshot, tenantId, [uuid]);
    if (detail === undefined) throw unknownRun(id);
    const [summary] = await listRunSummaries(snapshot, { ...emptyFilter(tenantId), sinceId: detail.id, search: detail.id, limit: 1 });
    if (summary === undefined) throw unknownRun(id);
    return { summary, detail };
  });
}
