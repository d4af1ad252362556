import { EventTriggers } from './event-triggers.ts';
import type { Restore, UndoLog } from './undo-log.ts';
import type { Version } from './workflow-version.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Names are one whatever their case: the published SDKs lower it when they trigger, not when they register. */
function nameKey(tenantId: TenantId, name: string): string {
  return `${tenantId}\0${name.toLowerCase()}`;
}

/** The newest version of each workflow. */
export class LatestVersions {
  readonly #byName = new Map<string, Version>();
  readonly #byWorkflow = new Map<string, Version>();
  readonly #eventTriggers = new EventTriggers();
  /** By name, those of workflows that were deleted. */
  readonly #deleted = new Map<string, Version>();

  values(): IterableIterator<Version> {
    return this.#byName.values();
  }

  get(tenantId: TenantId, name: string): Version | undefined {
    return this.#byName.get(nameKey(tenantId, name));
  }

  ofWorkflow(workflowId: string): Version | undefined {
    return this.#byWorkflow.get(workflowId);
  }

  /** The newest version of a workflow that was deleted, from which it goes on. */
  deleted(tenantId: TenantId, name: string): Version | undefined {
    return this.#deleted.get(nameKey(tenantId, name));
  }

  /** It takes the place of the one before it, unless that is newer. */
  offer(version: Version, undo?: UndoLog): void {
    const before = this.get(version.tenantId, version.definition.name);
    if (before !== undefined && before.ordinal >= version.ordinal) return;
    this.#replace(before, version);
    undo?.keep(this.#replaced, version, before);
    undo?.remove(this.#deleted, nameKey(version.tenantId, version.definition.name));
  }

  /** Its workflow is deleted: nothing finds it here any more, until a newer one is offered. */
  withdraw(workflowId: string, undo?: UndoLog): void {
    const version = this.ofWorkflow(workflowId);
    if (version === undefined) return;
    const key = nameKey(version.tenantId, version.definition.name);
    this.#replace(version, undefined);
    undo?.keep(this.#replaced, undefined, version);
    if (undo === undefined) this.#deleted.set(key, version);
    else undo.put(this.#deleted, key, version);
  }

  readonly #replaced: Restore<Version | undefined, Version | undefined> = {
    restore: (version, before) => this.#replace(version, before),
  };

  /** Those of a tenant that an event of the key starts, filters aside. */
  startedBy(tenantId: TenantId, key: string): Version[] {
    return this.#eventTriggers.startedBy(tenantId, key);
  }

  #replace(before: Version | undefined, version: Version | undefined): void {
    if (before !== undefined) this.#eventTriggers.remove(before);
    if (version === undefined) {
      if (before === undefined) return;
      this.#byName.delete(nameKey(before.tenantId, before.definition.name));
      this.#byWorkflow.delete(before.workflowId);
      return;
    }
    this.#byName.set(nameKey(version.tenantId, version.definition.name), version);
    this.#byWorkflow.set(version.workflowId, version);
    this.#eventTriggers.add(version);
  }
}
