import type { Pool } from 'pg';
import { readSnapshot } from '../monitor/read-snapshot.ts';
import { runDetailsIn } from '../monitor/run-detail.ts';
import { listRunSummaries, type RunListFilter } from '../monitor/run-list.ts';
import type { ExportRunsResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { runSummaryMessage, taskDetailMessage } from './monitor-messages.ts';

/** Runs that are held in memory at once: each may carry 4 MiB of input and as much of output a task. */
const page = 25;

/** All runs of a filter with their inputs and outputs, newest first, up to the limit. */
export async function* exportRuns(pool: Pool, filter: RunListFilter, limit: number): AsyncGenerator<ExportRunsResponse> {
  let { beforeId } = filter;
  for (let left = limit; left > 0;) {
    const wanted = Math.min(left, page);
    const from = beforeId;
    const { rows, details } = await readSnapshot(pool, async (snapshot) => {
      const summaries = await listRunSummaries(snapshot, { ...filter, beforeId: from, limit: wanted });
      return { rows: summaries, details: await runDetailsIn(snapshot, filter.tenantId, summaries.map((row) => row.id)) };
    });
    const byId = new Map(details.map((detail) => [detail.id, detail]));
    for (const row of rows) {
      const detail = byId.get(row.id);
      if (detail === undefined) continue; // the retention took it between the two reads
      yield { run: runSummaryMessage(row), input: detail.input, tasks: detail.tasks.map((task) => taskDetailMessage(task, row.id)) };
    }
    if (rows.length < wanted) return;
    beforeId = rows.at(-1)?.id ?? null;
    left -= rows.length;
  }
}
