import type { TaskRow } from './table/rows.ts';
import type { Restore, UndoLog } from './undo-log.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** A place among the rows of `durable_listen` that an event may concern. */
export interface ListenPlace {
  /** Among the scopes and guards that the event meets. */
  readonly at: number;
  readonly guard: string;
  readonly taskId: string;
  readonly branch: number;
  readonly node: number;
  readonly condition: number;
}

/** Before the first of them. */
export const firstPlace: ListenPlace = {
  at: 0,
  guard: '-9223372036854775808',
  taskId: '00000000-0000-0000-0000-000000000000',
  branch: 0,
  node: 0,
  condition: 0,
};

/**
 * An event that has still to be told to what waited for it when it came. How far that has got is in memory alone: what was met
 * waits no more, so that it can begin again.
 */
export interface EventWaking {
  readonly eventId: string;
  readonly tenantId: TenantId;
  readonly key: string;
  /** What began to wait later, by numbers of the shard's sequence, is none of its concern. */
  readonly seq: number;
  /** Tasks whose steps waited when its first page was met; undefined before that. */
  rows: readonly TaskRow[] | undefined;
  /** How many of `rows` it has been compared with. */
  looked: number;
  /** Where it has got to among the durable tasks; null until it is through with `rows`. */
  after: ListenPlace | null;
}

export function newWaking(stored: Pick<EventWaking, 'eventId' | 'tenantId' | 'key' | 'seq'>): EventWaking {
  return { ...stored, rows: undefined, looked: 0, after: null };
}

type Line = EventWaking[];

/** Events of a shard that wake what waits for them in several transactions. Those of one tenant and key do so one after the other. */
export class EventWakings {
  readonly #byTenant = new Map<TenantId, Map<string, Line>>();
  readonly #counts = new Map<TenantId, number>();

  has(tenantId: TenantId, key: string): boolean {
    return this.#byTenant.get(tenantId)?.has(key) === true;
  }

  /** How many a tenant has, over all keys. */
  count(tenantId: TenantId): number {
    return this.#counts.get(tenantId) ?? 0;
  }

  /** The one whose turn it is. */
  first(tenantId: TenantId, key: string): EventWaking | undefined {
    return this.#byTenant.get(tenantId)?.get(key)?.[0];
  }

  /** Behind those of its tenant and key. */
  add(waking: EventWaking, undo?: UndoLog): void {
    this.#lineOf(waking).push(waking);
    this.#change(waking, 1);
    undo?.keep(added, this, waking);
  }

  /** The first of its tenant and key is done. Other keys of the tenant go before the next one. */
  removeFirst(waking: EventWaking, undo: UndoLog): void {
    this.#take(waking, 'first');
    undo.keep(removed, this, waking);
  }

  get tenants(): Iterable<TenantId> {
    return this.#byTenant.keys();
  }

  /** The first of each key, in the order of their turns. */
  *firsts(tenantId: TenantId): Generator<EventWaking> {
    for (const [first] of this.#byTenant.get(tenantId)?.values() ?? []) if (first !== undefined) yield first;
  }

  *[Symbol.iterator](): Generator<EventWaking> {
    for (const lines of this.#byTenant.values()) for (const line of lines.values()) yield* line;
  }

  #lineOf({ tenantId, key }: EventWaking): Line {
    const lines = this.#byTenant.get(tenantId) ?? new Map<string, Line>();
    this.#byTenant.set(tenantId, lines);
    const line = lines.get(key) ?? [];
    lines.set(key, line);
    return line;
  }

  #change({ tenantId }: EventWaking, by: 1 | -1): void {
    const count = this.count(tenantId) + by;
    if (count > 0) this.#counts.set(tenantId, count);
    else this.#counts.delete(tenantId);
  }

  #take(waking: EventWaking, which: 'first' | 'last'): void {
    const { tenantId, key } = waking;
    const lines = this.#byTenant.get(tenantId);
    const line = lines?.get(key);
    if (lines === undefined || line === undefined) return;
    this.#change(waking, -1);
    if (which === 'first') line.shift();
    else line.pop();
    lines.delete(key);
    if (line.length > 0) lines.set(key, line);
    else if (lines.size === 0) this.#byTenant.delete(tenantId);
  }

  /** Undoes `add`. */
  takeLast(waking: EventWaking): void {
    this.#take(waking, 'last');
  }

  /** Undoes `removeFirst`. */
  putFirst(waking: EventWaking): void {
    this.#lineOf(waking).unshift(waking);
    this.#change(waking, 1);
  }
}

const added: Restore<EventWakings, EventWaking> = { restore: (wakings, waking) => wakings.takeLast(waking) };
const removed: Restore<EventWakings, EventWaking> = { restore: (wakings, waking) => wakings.putFirst(waking) };
