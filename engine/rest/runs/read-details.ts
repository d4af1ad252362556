import { HatchetError } from '../../base/errors.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { maxPageBytes } from '../../model/limits.ts';
import type { SizedRead } from '../../monitor/budget/answers-in-flight.ts';
import type { Reader } from '../../monitor/read-snapshot.ts';
import {
  countTasksIn,
  payloadSize,
  runDetailsIn,
  type PayloadWish,
  type RunDetail,
} from '../../monitor/runs/run-detail.ts';

/** Tasks in the runs of a page at most: some 50 MB of objects, and as much of text. */
const mostTasks = 20_000;
/** What a task takes without its payloads. Those of most pages are as good as nothing. */
const taskBytes = 1024;
const fewTasks = 1000;

/** That a page of runs may take, its payloads and its tasks. */
export const mostDetailBytes = maxPageBytes + mostTasks * taskBytes;

export interface DetailsRead {
  runs: RunDetail[];
  /** Bytes of the tasks, without their payloads. */
  taskBytes: number;
}

/** Or how much room the answer wants, where its tasks alone fill what it has. @throws HatchetError PAYLOAD_TOO_LARGE for too many of them */
export async function readDetails(
  snapshot: Reader,
  tenantId: TenantId,
  runIds: readonly string[],
  { bytes, data }: PayloadWish,
): Promise<DetailsRead | { wanted: number }> {
  const tasks = await countTasksIn(snapshot, runIds, mostTasks + 1);
  if (tasks > mostTasks)
    throw new HatchetError('PAYLOAD_TOO_LARGE', `the ${runIds.length} runs of the page have over ${mostTasks} tasks`, {
      remedy: 'Ask for fewer at a time, by `limit` or by fewer ids.',
    });
  const needed = Math.max(tasks - fewTasks, 0) * taskBytes;
  if (needed >= bytes) return { wanted: needed + maxPageBytes };
  return {
    runs: await runDetailsIn(snapshot, tenantId, runIds, { bytes: Math.min(bytes - needed, maxPageBytes), data }),
    taskBytes: needed,
  };
}

/** Nothing was read: the same once more, with that much room. */
export function again(wanted: number): SizedRead<undefined> {
  return { value: undefined, brought: 0, leftOut: wanted };
}

export function sized<T>(value: T, { runs, taskBytes: rows }: DetailsRead): SizedRead<T> {
  const { brought, leftOut } = payloadSize(runs);
  return { value, brought: brought + rows, leftOut: Math.min(leftOut, maxPageBytes) };
}
