import type { Pool } from 'pg';
import { RunStatus } from '../model/task/status.ts';
import { listRunSummaries } from '../monitor/runs/run-list.ts';
import type { RunSelection } from './cancel-selection.ts';
import { uuidFloor } from '../model/ids/uuid-floor.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Runs a command: other commands get their turn in between. */
const chunkRuns = 200;

interface ReplayPorts {
  pool: Pool;
  replay(ids: readonly string[]): Promise<readonly string[]>;
}

/** Replays the ended runs of a selection, newest first, a chunk at a time. @returns the ids of the tasks that run again */
export async function replayByFilter(
  ports: ReplayPorts,
  tenantId: TenantId,
  selection: RunSelection,
): Promise<string[]> {
  const ended: RunStatus[] = [RunStatus.Completed, RunStatus.Failed, RunStatus.Cancelled];
  const statuses =
    selection.statuses.length === 0 ? ended : selection.statuses.filter((status) => ended.includes(status));
  if (statuses.length === 0) return [];
  const filter = {
    tenantId,
    statuses,
    workflowNames: [],
    workflowIds: selection.workflowIds,
    sinceId: selection.since === undefined ? null : uuidFloor(selection.since.getTime()),
    untilId: selection.until === undefined ? null : uuidFloor(selection.until.getTime()),
    metadata: selection.metadata,
    search: null,
    parentTaskIds: null,
    limit: chunkRuns,
  };
  const replayed: string[] = [];
  for (let beforeId: string | null = null; ;) {
    const runs: { id: string }[] = await listRunSummaries(ports.pool, { ...filter, beforeId });
    if (runs.length > 0) replayed.push(...(await ports.replay(runs.map((run) => run.id))));
    if (runs.length < chunkRuns) return replayed;
    beforeId = runs.at(-1)?.id ?? null;
  }
}
