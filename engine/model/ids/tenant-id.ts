import { markChecked, type Checked } from '../checked.ts';
import { newId, parseUuid } from './uuid.ts';

declare const tenant: unique symbol;

/** A tenant's id. To the compiler it is no other text: neither a run's id nor a key is taken for one. */
export type TenantId = Checked<string> & { readonly [tenant]: true };

/** The brand exists for the compiler alone: whoever asks says that the text is a tenant's id. */
function isTenantId(id: Checked<string>): id is TenantId {
  return typeof id === 'string';
}

/** For whoever reads or makes ids of tenants: nobody else says that a text is one. Rows of SQL declare it with their columns. */
export function markTenantId(id: Checked<string>): TenantId {
  if (isTenantId(id)) return id;
  throw new TypeError('the id of a tenant is no text');
}

export function newTenantId(): TenantId {
  return markTenantId(newId());
}

/** In the canonical form, as `parseUuid` gives it. Whether there is such a tenant, nobody has looked. */
export function parseTenantId(text: string): TenantId | undefined {
  const uuid = parseUuid(text);
  return uuid === undefined ? undefined : markTenantId(uuid);
}

/** For calls without a token, which are no tenant's: it equals no tenant's id. */
export const noTenant = markTenantId(markChecked(''));
