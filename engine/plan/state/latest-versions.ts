import { matchesEventKey } from '../../model/event-key.ts';
import type { Restore, UndoLog } from './undo-log.ts';
import type { Version } from './workflow-version.ts';

/** What events a tenant's newest versions listen for. */
interface Listeners {
  /** By event key, of those without a wildcard. */
  readonly exact: Map<string, Set<Version>>;
  /** Those that have a pattern with a wildcard: each is asked about every event of the tenant. */
  readonly wild: Set<Version>;
}

/** Names are one whatever their case: the published SDKs lower it when they trigger, not when they register. */
function nameKey(tenantId: string, name: string): string {
  return `${tenantId}\0${name.toLowerCase()}`;
}

/** The newest version of each workflow. */
export class LatestVersions {
  readonly #byName = new Map<string, Version>();
  readonly #byWorkflow = new Map<string, Version>();
  /** By tenant. */
  readonly #listeners = new Map<string, Listeners>();

  values(): IterableIterator<Version> {
    return this.#byName.values();
  }

  get(tenantId: string, name: string): Version | undefined {
    return this.#byName.get(nameKey(tenantId, name));
  }

  ofWorkflow(workflowId: string): Version | undefined {
    return this.#byWorkflow.get(workflowId);
  }

  /** It takes the place of the one before it, unless that is newer. */
  offer(version: Version, undo?: UndoLog): void {
    const before = this.get(version.tenantId, version.definition.name);
    if (before !== undefined && before.ordinal >= version.ordinal) return;
    this.#replace(before, version);
    undo?.keep(this.#offered, version, before);
  }

  readonly #offered: Restore<Version, Version | undefined> = {
    restore: (version, before) => this.#replace(version, before),
  };

  /** Those of a tenant that an event of the key starts, filters aside. */
  listeners(tenantId: string, key: string): Version[] {
    const own = this.#listeners.get(tenantId);
    if (own === undefined) return [];
    const found = new Set(own.exact.get(key));
    for (const version of own.wild)
      if (version.definition.eventKeys.some((pattern) => matchesEventKey(pattern, key))) found.add(version);
    return [...found];
  }

  #replace(before: Version | undefined, version: Version | undefined): void {
    if (before !== undefined) this.#ignore(before);
    if (version === undefined) {
      if (before === undefined) return;
      this.#byName.delete(nameKey(before.tenantId, before.definition.name));
      this.#byWorkflow.delete(before.workflowId);
      return;
    }
    this.#byName.set(nameKey(version.tenantId, version.definition.name), version);
    this.#byWorkflow.set(version.workflowId, version);
    this.#listen(version);
  }

  #listen(version: Version): void {
    const { tenantId, definition } = version;
    if (definition.eventKeys.length === 0) return;
    const own: Listeners = this.#listeners.get(tenantId) ?? { exact: new Map(), wild: new Set() };
    this.#listeners.set(tenantId, own);
    for (const key of definition.eventKeys) {
      if (key.includes('*')) own.wild.add(version);
      else own.exact.set(key, (own.exact.get(key) ?? new Set()).add(version));
    }
  }

  #ignore(version: Version): void {
    const own = this.#listeners.get(version.tenantId);
    if (own === undefined) return;
    own.wild.delete(version);
    for (const key of version.definition.eventKeys) {
      const versions = own.exact.get(key);
      versions?.delete(version);
      if (versions?.size === 0) own.exact.delete(key);
    }
    if (own.exact.size + own.wild.size === 0) this.#listeners.delete(version.tenantId);
  }
}
