import type { Owner } from '../shard/owner.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Ids a command: other commands get their turn in between. */
const chunk = 500;

/** Cancels runs or tasks, a chunk at a time. @returns the ids that were cancelled */
export async function cancelIds(
  owner: Pick<Owner, 'submit'>,
  tenantId: TenantId,
  ids: readonly string[],
): Promise<string[]> {
  const cancelled: string[] = [];
  for (let from = 0; from < ids.length; from += chunk)
    cancelled.push(...(await owner.submit({ kind: 'cancel', tenantId, ids: ids.slice(from, from + chunk) })).cancelled);
  return cancelled;
}
