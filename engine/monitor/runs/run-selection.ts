import type { Pool } from 'pg';
import { RunStatus } from '../../model/task/status.ts';
import { readUnfinishedRuns } from './unfinished-runs.ts';
import { uuidFloor } from '../../model/ids/uuid-floor.ts';

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

/** Runs a command: other commands get their turn in between. */
const chunkRuns = 500;

interface CancelPorts {
  pool: Pool;
  owner: {
    submit(
      tenantId: string,
      command: { kind: 'cancel'; tenantId: string; ids: readonly string[] },
    ): Promise<{ cancelled: readonly string[] }>;
  };
}

/** Cancels the unfinished runs of a selection, a chunk at a time between other commands. @returns the ids cancelled */
export async function cancelByFilter(ports: CancelPorts, tenantId: string, selection: RunSelection): Promise<string[]> {
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
  const cancelled: string[] = [];
  for (let from = 0; from < ids.length; from += chunkRuns) {
    cancelled.push(
      ...(await ports.owner.submit(tenantId, { kind: 'cancel', tenantId, ids: ids.slice(from, from + chunkRuns) }))
        .cancelled,
    );
  }
  return cancelled;
}
