import { HatchetError } from '../base/errors.ts';
import { maxBulkTriggers } from '../model/limits.ts';
import type { Owner } from '../shard/owner.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Runs a command: its rows are read between two transactions, which others wait for. */
const chunk = 50;

/** Replays runs or tasks, a chunk at a time. @returns the tasks that run again @throws HatchetError INVALID_ARGUMENT */
export async function replayIds(
  owner: Pick<Owner, 'submit'>,
  tenantId: TenantId,
  ids: readonly string[],
): Promise<string[]> {
  if (ids.length > maxBulkTriggers)
    throw new HatchetError('INVALID_ARGUMENT', `the call replays ${ids.length} ids`, {
      remedy: `Send at most ${maxBulkTriggers} a call.`,
    });
  const replayed: string[] = [];
  for (let left = ids; left.length > 0;) {
    const reply = await owner.submit({
      kind: 'replay',
      tenantId,
      ids: left.slice(0, chunk),
    });
    replayed.push(...reply.replayed);
    left = [...reply.deferred, ...left.slice(chunk)];
  }
  return replayed;
}
