import { markChecked } from '../../engine/model/checked.ts';
import { markTenantId, type TenantId } from '../../engine/model/ids/tenant-id.ts';

/** A tenant of a test's own; where no database is asked, any text names one. */
export function tenantOf(id: string): TenantId {
  return markTenantId(markChecked(id));
}
