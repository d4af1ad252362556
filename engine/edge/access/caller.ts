import type { Identity } from '../../auth/tokens.ts';
import { markChecked } from '../../model/checked.ts';
import { noTenant, type TenantId } from '../../model/ids/tenant-id.ts';

/** Ids that one audit line names. */
const mostIds = 100;

/** Who makes a call, and what of it the audit log shall name. */
export class Caller {
  readonly identity: Identity;
  /** What the call made or changed. */
  readonly ids: string[] = [];

  constructor(identity: Identity) {
    this.identity = identity;
  }

  get tenantId(): TenantId {
    return this.identity.tenantId;
  }

  /** Names what the call makes or changes. Of many, the first hundred. */
  note(...ids: readonly string[]): void {
    for (const id of ids) if (this.ids.length < mostIds) this.ids.push(id);
  }
}

/** Who calls what needs no token: no tenant at all. */
export const noCaller = new Caller({
  tenantId: noTenant,
  tokenId: markChecked(''),
  role: 'viewer',
  expiresAtMs: Infinity,
});
