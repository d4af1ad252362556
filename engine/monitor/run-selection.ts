import type { Pool } from 'pg';
import { HatchetError } from '../errors.ts';
import { isRunStatus, RunStatus, runStatusNames } from '../model/status.ts';
import { parseUuid } from '../model/uuid.ts';
import { readUnfinishedRuns } from './unfinished-runs.ts';
import { uuidFloor } from '../model/uuid-floor.ts';

/** A selection of runs as the contract's TasksFilter gives it. */
export interface RunSelection {
  statuses: readonly string[];
  since?: Date | undefined;
  until?: Date | undefined;
  workflowIds: readonly string[];
  /** `key:value`. */
  additionalMetadata: readonly string[];
}

/** Runs a command: other commands get their turn in between. */
const chunkRuns = 500;

/** @throws HatchetError INVALID_ARGUMENT for a name that is no status */
export function statusesByName(names: readonly string[]): RunStatus[] {
  return names.map((name) => {
    const found = Object.entries(runStatusNames).find(([, known]) => known === name.toUpperCase());
    const status = Number(found?.[0] ?? 0);
    if (!isRunStatus(status)) throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(name)} is not a status`, { remedy: `Use ${Object.values(runStatusNames).join(', ')}.` });
    return status;
  });
}

/** `key:value` pairs as the JSON object that metadata must contain; null for none. */
export function metadataFilter(pairs: readonly string[]): string | null {
  if (pairs.length === 0) return null;
  return JSON.stringify(
    Object.fromEntries(
      pairs.map((pair) => {
        const at = pair.indexOf(':');
        if (at < 1) throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(pair)} is not of the form key:value`);
        return [pair.slice(0, at), pair.slice(at + 1)];
      }),
    ),
  );
}

/** Left out, an id that is none would widen the selection to every workflow. @throws HatchetError INVALID_ARGUMENT */
export function workflowUuids(selection: RunSelection): string[] {
  return selection.workflowIds.map((id) => {
    const uuid = parseUuid(id);
    if (uuid === undefined) throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(id)} is not a workflow's id`, { remedy: 'Give the ids that the list of workflows shows.' });
    return uuid;
  });
}

interface CancelPorts {
  pool: Pool;
  owner: { submit(tenantId: string, command: { kind: 'cancel'; tenantId: string; ids: readonly string[] }): Promise<{ cancelled: readonly string[] }> };
}

/** Cancels the unfinished runs of a selection, a chunk at a time between other commands. @returns the ids cancelled */
export async function cancelByFilter(ports: CancelPorts, tenantId: string, selection: RunSelection): Promise<string[]> {
  const wanted = selection.statuses.length === 0 ? [RunStatus.Queued, RunStatus.Running] : statusesByName(selection.statuses).filter((status) => status === RunStatus.Queued || status === RunStatus.Running);
  if (wanted.length === 0) return [];
  const ids = await readUnfinishedRuns(ports.pool, {
    tenantId,
    queued: wanted.includes(RunStatus.Queued),
    running: wanted.includes(RunStatus.Running),
    workflowIds: workflowUuids(selection),
    sinceId: selection.since === undefined ? null : uuidFloor(selection.since.getTime()),
    untilId: selection.until === undefined ? null : uuidFloor(selection.until.getTime()),
    metadata: metadataFilter(selection.additionalMetadata),
  });
  const cancelled: string[] = [];
  for (let from = 0; from < ids.length; from += chunkRuns) {
    cancelled.push(...(await ports.owner.submit(tenantId, { kind: 'cancel', tenantId, ids: ids.slice(from, from + chunkRuns) })).cancelled);
  }
  return cancelled;
}
