import { HatchetError } from '../errors.ts';
import { maxBulkTriggers } from '../model/limits.ts';
import type { Owner } from './owner.ts';

/** Runs a command: its rows are read between two batches. */
const chunk = 200;

/** Replays runs or tasks, a chunk at a time. @returns the tasks that run again @throws HatchetError INVALID_ARGUMENT */
export async function replayIds(owner: Owner, tenantId: string, ids: readonly string[]): Promise<string[]> {
  if (ids.length > maxBulkTriggers) throw new HatchetError('INVALID_ARGUMENT', `the call replays ${ids.length} ids`, { remedy: `Send at most ${maxBulkTriggers} a call.` });
  const replayed: string[] = [];
  for (let from = 0; from < ids.length; from += chunk) {
    const reply = await owner.submit(tenantId, { kind: 'replay', tenantId, ids: ids.slice(from, from + chunk), loaded: [] });
    replayed.push(...reply.replayed);
  }
  return replayed;
}
