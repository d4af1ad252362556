import type { Pool } from 'pg';
import { maxPageBytes } from '../../model/limits.ts';
import { readWithin, type Held } from '../../monitor/budget/answers-in-flight.ts';
import { readSnapshot } from '../../monitor/read-snapshot.ts';
import { payloadSize, runDetailsIn } from '../../monitor/runs/run-detail.ts';
import { listRunSummaries, type RunListFilter, type RunSummary } from '../../monitor/runs/run-list.ts';
import type { ExportRunsResponse } from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { leftOutBytes, runSummaryMessage, taskDetailMessage } from '../monitor-messages.ts';
import { runWithTasks, type RunWithTasks } from './run-with-tasks.ts';

/** Runs that are read at once, as far as their payloads fit into a page; one that does not fit is read by itself. */
const pageRuns = 25;

interface Page {
  /** Those before the first that is not whole; what the retention took between the two reads is not among them. */
  whole: RunWithTasks[];
  /** How many rows of the list that is. */
  count: number;
  /** The last of them. */
  lastId: string | null;
  /** The first that is not whole. */
  largeId: string | undefined;
}

/**
 * All runs of a filter with their inputs and outputs, newest first, up to the limit, some at a time. Each is whole, unless it
 * is larger than a message. Whoever takes some gives their room back before it takes more.
 */
export async function* exportRuns(
  pool: Pool,
  filter: RunListFilter,
  limit: number,
): AsyncGenerator<Held<ExportRunsResponse[]>> {
  let { beforeId } = filter;
  for (let left = limit; left > 0;) {
    const wanted = Math.min(left, pageRuns);
    const page = await readPage(pool, { ...filter, beforeId, limit: wanted });
    const { count, lastId, largeId } = page.value;
    yield page.map(({ whole }) => whole.map(exportedRun));
    if (largeId !== undefined)
      yield (await runWithTasks(pool, filter.tenantId, largeId)).map((run) => [exportedRun(run)]);
    else if (count < wanted) return;
    beforeId = largeId ?? lastId;
    left -= largeId === undefined ? count : count + 1;
  }
}

function readPage(pool: Pool, filter: RunListFilter): Promise<Held<Page>> {
  return readWithin(maxPageBytes, async (bytes) => {
    const { rows, details } = await readSnapshot(pool, async (snapshot) => {
      const summaries = await listRunSummaries(snapshot, { ...filter, payloadBytes: bytes });
      return {
        rows: summaries,
        details: await runDetailsIn(
          snapshot,
          filter.tenantId,
          summaries.map((row) => row.id),
          { bytes, data: true },
        ),
      };
    });
    const byId = new Map(details.map((detail) => [detail.id, detail]));
    const firstLarge = rows.findIndex((row) => leftOutOf({ summary: row, detail: byId.get(row.id) }) > 0);
    const shown = firstLarge < 0 ? rows : rows.slice(0, firstLarge);
    const whole = shown.flatMap((summary) => {
      const detail = byId.get(summary.id);
      return detail === undefined ? [] : [{ summary, detail }];
    });
    const brought = shown.reduce(
      (sum, row) => sum + row.metadata.length + (row.error?.length ?? 0),
      payloadSize(whole.map((run) => run.detail)).brought,
    );
    const leftOut = rows.reduce((sum, summary) => sum + leftOutOf({ summary, detail: byId.get(summary.id) }), 0);
    return {
      value: { whole, count: shown.length, lastId: shown.at(-1)?.id ?? null, largeId: rows[firstLarge]?.id },
      brought,
      leftOut,
    };
  });
}

function leftOutOf({ summary, detail }: { summary: RunSummary; detail: RunWithTasks['detail'] | undefined }): number {
  return summary.metadataLeftOut + summary.errorLeftOut + (detail === undefined ? 0 : payloadSize([detail]).leftOut);
}

function exportedRun({ summary, detail }: RunWithTasks): ExportRunsResponse {
  return {
    run: runSummaryMessage(summary),
    input: detail.input,
    tasks: detail.tasks.map((task) => taskDetailMessage(task, summary.id)),
    inputLeftOutBytes: leftOutBytes(detail.inputLeftOut),
  };
}
