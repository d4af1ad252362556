import type { Pool } from 'pg';
import { RunStatus } from '../model/task/status.ts';
import { readUnfinishedRuns } from '../monitor/runs/unfinished-runs.ts';
import type { Owner } from '../shard/owner.ts';
import { cancelIds } from './cancel-ids.ts';
import { uuidFloor } from '../model/ids/uuid-floor.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Runs to cancel or to replay. */
export interface RunSelection {
  /** None for all that it can be done to. */
  statuses: readonly RunStatus[];
  since?: Date | undefined;
  until?: Date | undefined;
  workflowIds: readonly string[];
  /** A JSON object that the run's metadata contains. */
  metadata: string | null;
}

interface CancelPorts {
  pool: Pool;
  owner: Pick<Owner, 'submit'>;
}

/** Cancels the unfinished runs of a selection, a chunk at a time between other commands. @returns the ids cancelled */
export async function cancelByFilter(
  ports: CancelPorts,
  tenantId: TenantId,
  selection: RunSelection,
): Promise<string[]> {
  const wanted =
    selection.statuses.length === 0
      ? [RunStatus.Queued, RunStatus.Running]
      : selection.statuses.filter((status) => status === RunStatus.Queued || status === RunStatus.Running);
  if (wanted.length === 0) return [];
  const ids = await readUnfinishedRuns(ports.pool, {
    tenantId,
    queued: wanted.includes(RunStatus.Queued),
    running: wanted.includes(RunStatus.Running),
    workflowIds: selection.workflowIds,
    sinceId: selection.since === undefined ? null : uuidFloor(selection.since.getTime()),
    untilId: selection.until === undefined ? null : uuidFloor(selection.until.getTime()),
    metadata: selection.metadata,
  });
  return cancelIds(ports.owner, tenantId, ids);
}
