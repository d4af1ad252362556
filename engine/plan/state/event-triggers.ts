import { matchesEventKey } from '../../model/event-key.ts';
import type { Version } from './workflow-version.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Of a tenant, the versions that events start. */
interface TenantTriggers {
  /** By event key, of those without a wildcard. */
  readonly exact: Map<string, Set<Version>>;
  /** Those that have a pattern with a wildcard: each is asked about every event of the tenant. */
  readonly wild: Set<Version>;
}

/** Which workflow versions an event of a key starts, filters aside. */
export class EventTriggers {
  readonly #byTenant = new Map<TenantId, TenantTriggers>();

  startedBy(tenantId: TenantId, key: string): Version[] {
    const own = this.#byTenant.get(tenantId);
    if (own === undefined) return [];
    const found = new Set(own.exact.get(key));
    for (const version of own.wild)
      if (version.definition.eventKeys.some((pattern) => matchesEventKey(pattern, key))) found.add(version);
    return [...found];
  }

  add(version: Version): void {
    const { tenantId, definition } = version;
    if (definition.eventKeys.length === 0) return;
    const own: TenantTriggers = this.#byTenant.get(tenantId) ?? { exact: new Map(), wild: new Set() };
    this.#byTenant.set(tenantId, own);
    for (const key of definition.eventKeys) {
      if (key.includes('*')) own.wild.add(version);
      else own.exact.set(key, (own.exact.get(key) ?? new Set()).add(version));
    }
  }

  remove(version: Version): void {
    const own = this.#byTenant.get(version.tenantId);
    if (own === undefined) return;
    own.wild.delete(version);
    for (const key of version.definition.eventKeys) {
      const versions = own.exact.get(key);
      versions?.delete(version);
      if (versions?.size === 0) own.exact.delete(key);
    }
    if (own.exact.size + own.wild.size === 0) this.#byTenant.delete(version.tenantId);
  }
}
