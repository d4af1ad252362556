import type { Restore, UndoLog } from './undo-log.ts';
import type { Step } from './workflow-version.ts';
import type { TaskRow } from './table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** The tasks of a shard that wait for events, by tenant and event key. */
export class EventWaiters {
  readonly #rows = new Map<TenantId, Map<string, Set<TaskRow>>>();

  /** The task listens for the event keys of its step's conditions. */
  listen(row: TaskRow, step: Step, undo?: UndoLog): void {
    const { tenantId } = step.version;
    const byKey = this.#rows.get(tenantId) ?? new Map<string, Set<TaskRow>>();
    for (const key of eventKeys(step)) {
      this.#rows.set(tenantId, byKey);
      const rows = byKey.get(key) ?? new Set();
      byKey.set(key, rows);
      rows.add(row);
    }
    undo?.keep(listened, this, step, row);
  }

  ignore(row: TaskRow, step: Step, undo?: UndoLog): void {
    const { tenantId } = step.version;
    const byKey = this.#rows.get(tenantId);
    for (const key of eventKeys(step)) {
      const rows = byKey?.get(key);
      rows?.delete(row);
      if (rows?.size === 0) byKey?.delete(key);
    }
    if (byKey?.size === 0) this.#rows.delete(tenantId);
    undo?.keep(ignored, this, step, row);
  }

  has(row: TaskRow, step: Step): boolean {
    const byKey = this.#rows.get(step.version.tenantId);
    return eventKeys(step).some((key) => byKey?.get(key)?.has(row) === true);
  }

  count(tenantId: TenantId, key: string): number {
    return this.#rows.get(tenantId)?.get(key)?.size ?? 0;
  }

  /** Whether the task waits for an event of the key. */
  isWaiting(row: TaskRow, tenantId: TenantId, key: string): boolean {
    return this.#rows.get(tenantId)?.get(key)?.has(row) === true;
  }

  /** The tasks that wait for an event of the key, in the order in which they began to. */
  of(tenantId: TenantId, key: string): TaskRow[] {
    return [...(this.#rows.get(tenantId)?.get(key) ?? [])];
  }
}

function eventKeys({ definition }: Step): string[] {
  return definition.conditions.flatMap((condition) => (condition.kind === 'event' ? [condition.eventKey] : []));
}

const listened: Restore<EventWaiters, Step, TaskRow> = { restore: (waiters, step, row) => waiters.ignore(row, step) };
const ignored: Restore<EventWaiters, Step, TaskRow> = { restore: (waiters, step, row) => waiters.listen(row, step) };
