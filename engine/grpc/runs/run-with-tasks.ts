import type { Pool } from 'pg';
import { maxRunBytes } from '../../model/limits.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { readWithin, type Held } from '../../monitor/budget/answers-in-flight.ts';
import { readSnapshot } from '../../monitor/read-snapshot.ts';
import { payloadSize, runDetailsIn, type RunDetail } from '../../monitor/runs/run-detail.ts';
import { listRunSummaries, type RunSummary } from '../../monitor/runs/run-list.ts';
import { emptyFilter, unknownRun } from './run-filter.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface RunWithTasks {
  summary: RunSummary;
  detail: RunDetail;
}

/**
 * A run as lists have it, and its tasks, of one moment, with their payloads as far as they fit into a message.
 * @param id the run's or a task's
 * @param options.onlyTask the one task whose output is meant
 * @throws HatchetError UNKNOWN_RUN
 */
export async function runWithTasks(
  pool: Pool,
  tenantId: TenantId,
  id: string,
  options: { onlyTask?: string | undefined } = {},
): Promise<Held<RunWithTasks>> {
  const uuid = knownUuid(id);
  const only = options.onlyTask === undefined ? {} : { taskId: knownUuid(options.onlyTask) };
  return await readWithin(maxRunBytes, (bytes) =>
    readSnapshot(pool, async (snapshot) => {
      const [detail] = await runDetailsIn(snapshot, tenantId, [uuid], { bytes, data: true, ...only });
      if (detail === undefined) throw unknownRun(id);
      const [summary] = await listRunSummaries(snapshot, {
        ...emptyFilter(tenantId),
        sinceId: detail.id,
        search: detail.id,
        limit: 1,
        payloadBytes: bytes,
      });
      if (summary === undefined) throw unknownRun(id);
      const size = payloadSize([detail]);
      return {
        value: { summary, detail },
        brought: size.brought + summary.metadata.length + (summary.error?.length ?? 0),
        leftOut: size.leftOut,
      };
    }),
  );
}

function knownUuid(id: string): string {
  const uuid = parseUuid(id);
  if (uuid === undefined) throw unknownRun(id);
  return uuid;
}
